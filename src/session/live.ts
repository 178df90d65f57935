import type { JournalEntry } from '../memory/memory.ts';
import type { ConversationId, Message, ModelRef } from '../wire/wire.ts';
import { chosenModel, chosenQueue, contextMessages, sinceReset } from './context.ts';
import { labelsOf } from './labels.ts';
import type { QueueMode } from './queue-mode.ts';
import type { Session } from './session.ts';

/** An open conversation over the end of its journal: each thing follows from the entries when it is first asked for after they have changed. */
export class LiveSession implements Session {
  readonly conversation: ConversationId;
  /** The journal's end. */
  readonly entries: JournalEntry[];
  readonly #historyMessages: () => number;
  #messages: Message[] | undefined;
  #labels: string[] | undefined;
  #size: number;
  #chosen: { model: ModelRef | undefined; queue: QueueMode | undefined } | undefined;

  /** `historyMessages`: most messages a model is sent. */
  constructor(conversation: ConversationId, entries: JournalEntry[], historyMessages: () => number) {
    this.conversation = conversation;
    this.entries = entries;
    this.#size = charactersIn(entries);
    this.#historyMessages = historyMessages;
  }

  /** Takes what was appended to the journal; of what is kept here only so many entries from the end when a turn begins. */
  add(added: JournalEntry[], most: number): void {
    this.entries.push(...added);
    this.#size += charactersIn(added);
    // The turn under way stays whole.
    if (added.some((entry) => entry.kind === 'user') && this.entries.length > most)
      this.#size -= charactersIn(this.entries.splice(0, this.entries.length - most));
    this.#messages = undefined;
    this.#labels = undefined;
    this.#chosen = undefined;
  }

  get model(): ModelRef | undefined {
    return this.#choice().model;
  }

  get queue(): QueueMode | undefined {
    return this.#choice().queue;
  }

  get messages(): Message[] {
    this.#messages ??= contextMessages(this.entries, this.#historyMessages());
    return this.#messages;
  }

  get labels(): string[] {
    this.#labels ??= labelsOf(sinceReset(this.entries));
    return this.#labels;
  }

  /** About how much the entries hold, in characters: what was said, and what came with it. */
  get size(): number {
    return this.#size;
  }

  #choice() {
    this.#chosen ??= { model: chosenModel(this.entries), queue: chosenQueue(this.entries) };
    return this.#chosen;
  }
}

/** What an entry takes beside its text, about. */
const perEntry = 200;

function charactersIn(entries: JournalEntry[]): number {
  let sum = entries.length * perEntry;
  for (const entry of entries) {
    if ('text' in entry) sum += entry.text.length;
    if (entry.kind === 'user') for (const part of entry.attachments ?? []) sum += part.data.length;
    if (entry.kind === 'tool-result')
      for (const part of entry.result.content) sum += part.type === 'text' ? part.text.length : part.data.length;
  }
  return sum;
}
