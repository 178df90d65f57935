import type { ConfigStore } from '../config/config.ts';
import { PxError } from '../error/error.ts';
import type { JournalEntry, Memory } from '../memory/memory.ts';
import type { Models } from '../model/model.ts';
import { shutdown } from '../tool/tool.ts';
import type { ConversationId, ModelRef } from '../wire/wire.ts';
import {
  choiceIsOld,
  chosenModel,
  chosenQueue,
  contextMessages,
  entriesFor,
  type ModelBy,
  queueIsOld,
  queueNote,
  resetNote,
  sinceReset,
} from './context.ts';
import { labelsOf } from './labels.ts';
import { createLanes } from './lanes.ts';
import type { Session, Sessions } from './session.ts';
import { oldSummary } from './summary.ts';

/** What sessions are made of. */
export interface SessionOptions {
  memory: Pick<Memory, 'journal'>;
  models: Pick<Models, 'default' | 'resolve'>;
  config: Pick<ConfigStore, 'current'>;
  /** Open conversations kept while idle; the least recently used goes first. 8 when left out. */
  keep?: number;
  /** How long an unused conversation is kept, in ms. 30 s when left out: reading back takes a few ms, memory is scarce. */
  keepMs?: number;
}

/** An open conversation: its journal's end, and what follows from it. */
interface Open {
  entries: JournalEntry[];
  session: Session;
}

/** Makes the sessions. Nothing is read before it is asked for. */
export function createSessions(options: SessionOptions): Sessions {
  const { models, config } = options;
  const { journal } = options.memory;
  const turns = createLanes();
  /** Reads and writes of one conversation's journal, in order, so that a session never misses or doubles an entry. */
  const io = createLanes();
  const running = new Map<ConversationId, AbortController>();
  const cache = new Map<ConversationId, Open>();
  let forget: Timer | undefined;
  let closed = false;

  const evict = (keep: number) => {
    for (const conversation of cache.keys()) {
      if (cache.size <= keep) return;
      if (!running.has(conversation)) cache.delete(conversation);
    }
  };

  const used = (conversation: ConversationId, open: Open): Open => {
    cache.delete(conversation);
    cache.set(conversation, open);
    evict(options.keep ?? 8);
    clearTimeout(forget);
    forget = setTimeout(() => evict(0), options.keepMs ?? 30_000);
    forget.unref();
    return open;
  };

  const refresh = ({ entries, session }: Open) => {
    session.model = chosenModel(entries);
    session.queue = chosenQueue(entries);
    session.messages = contextMessages(entries, config.current.agent.history_messages);
    session.labels = labelsOf(sinceReset(entries));
  };

  /** Only inside the conversation's io lane. */
  const load = async (conversation: ConversationId): Promise<Open> => {
    const cached = cache.get(conversation);
    if (cached) return used(conversation, cached);
    const entries = await journal.read(conversation, entriesFor(config.current.agent.history_messages));
    const session: Session = { conversation, model: undefined, queue: undefined, messages: [], labels: [] };
    const open: Open = { entries, session };
    refresh(open);
    return used(conversation, open);
  };

  const append = (conversation: ConversationId, entries: JournalEntry[]) =>
    io.run(conversation, async () => {
      const open = await load(conversation);
      const chosen = chosenModel(open.entries);
      const queue = chosenQueue(open.entries);
      const added = [
        ...(chosen !== undefined && choiceIsOld(open.entries) ? [choice(chosen, 'person')] : []),
        ...(queue !== undefined && queueIsOld(open.entries) ? [queueNote(queue)] : []),
        ...(entries.some((e) => e.kind === 'user') ? oldSummary(sinceReset(open.entries)) : []),
        ...entries,
      ];
      try {
        await journal.append(conversation, added);
      } catch (error) {
        cache.delete(conversation);
        throw error;
      }
      open.entries.push(...added);
      // Cut only where a turn begins: the one under way stays whole.
      const most = entriesFor(config.current.agent.history_messages);
      if (added.some((e) => e.kind === 'user') && open.entries.length > most)
        open.entries.splice(0, open.entries.length - most);
      refresh(open);
    });

  return {
    open: (conversation) => io.run(conversation, async () => (await load(conversation)).session),
    append,
    async setModel(conversation, model) {
      await append(conversation, [
        model === undefined ? choice(models.default.ref, 'default') : choice(models.resolve(model), 'person'),
      ]);
    },
    async setQueue(conversation, mode) {
      await append(conversation, [queueNote(mode)]);
    },
    queueMode(conversation) {
      const channel = conversation.slice(0, conversation.indexOf('/'));
      return cache.get(conversation)?.session.queue ?? config.current.channels[channel]?.queue ?? 'followup';
    },
    async reset(conversation) {
      await append(conversation, [resetNote()]);
    },
    enqueue(conversation, work) {
      return turns.run(conversation, async () => {
        if (closed) throw new PxError('interrupted', 'px is stopping', { retryable: true });
        const controller = new AbortController();
        running.set(conversation, controller);
        try {
          return await work(controller.signal);
        } finally {
          running.delete(conversation);
        }
      });
    },
    stop(conversation) {
      const controller = running.get(conversation);
      controller?.abort(new PxError('interrupted', 'Stopped'));
      return controller !== undefined;
    },
    running: () => [...running.keys()],
    async close() {
      closed = true;
      for (const controller of running.values()) controller.abort(shutdown);
      await turns.idle();
      await io.idle();
      clearTimeout(forget);
      cache.clear();
    },
  };
}

function choice(model: ModelRef, by: ModelBy): JournalEntry {
  return { at: 0, kind: 'model', model, by };
}
