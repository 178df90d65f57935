import { type ErrorShape, PxError } from '../error/error.ts';
import type { JournalEntry } from '../memory/memory.ts';
import type { Failover, ModelEvent } from '../model/model.ts';
import type { TurnFrom } from '../policy/policy.ts';
import { errorText, shutdown, type ToolContext, type ToolRun, toolResult } from '../tool/tool.ts';
import {
  attachmentsIn,
  type ConversationId,
  type EndReason,
  type Inbound,
  type ModelRef,
  type ToolCallPart,
  type Usage,
} from '../wire/wire.ts';
import type { TurnInput, TurnResult } from './agent.ts';
import { TurnClock } from './clock.ts';
import type { AgentOptions } from './create.ts';
import { decidedNote, Gate, labelOf, undecided, whoOf } from './gate.ts';
import { LoopGuard } from './guard.ts';
import { forGuest } from './guest.ts';
import { brokeOff, instead, notice, visible } from './notice.ts';
import { RECALL_ENTRIES, type Recalled, recall } from './recall.ts';
import { Recollection } from './recollect.ts';
import { type Preamble, preamble } from './request.ts';
import { Room } from './room.ts';
import { none, plus, runStep, type Step } from './step.ts';

/** One turn: a person's message, as many model and tool steps as its bounds allow, an end in the journal. */
export class Turn {
  readonly #with: AgentOptions;
  readonly #input: TurnInput;
  #model: ModelRef;
  readonly #chosen: boolean;
  readonly #stopped: AbortSignal;
  readonly #guard = new LoopGuard();
  #id: string;
  #usage: Usage = none();
  /** What px said in each step. */
  #texts: string[] = [];
  #recalled: Recalled | undefined;
  /** Calls that waited for a person's word when px was stopped. */
  #undecided = new Set<string>();
  #room: Room;
  readonly #recollection: Recollection;
  /** Models that failed in this turn, for the line under the answer. */
  readonly #failed: Failover[] = [];

  /** `chosen`: a person chose the model, and no other may answer instead. */
  constructor(
    options: AgentOptions,
    input: TurnInput,
    id: string,
    { model, chosen, signal }: { model: ModelRef; chosen: boolean; signal: AbortSignal },
  ) {
    this.#with = options;
    this.#input = input;
    this.#id = id;
    this.#model = model;
    this.#room = this.#newRoom();
    this.#recollection = new Recollection(options, input.inbound, (entry) => this.#journal([entry]));
    this.#chosen = chosen;
    this.#stopped = signal;
  }

  /** Looks a left-over message up in the journal; the turn keeps the name it has there. Returns the turn's name. */
  async recall(): Promise<string> {
    const { conversation, id } = this.#input.inbound;
    const entries = await this.#with.memory.journal.read(conversation, RECALL_ENTRIES);
    this.#recalled = recall(entries, id);
    this.#undecided = undecided(entries, this.#recalled?.open ?? []);
    this.#id = this.#recalled?.turn ?? this.#id;
    this.#room = this.#newRoom();
    this.#texts = this.#recalled?.texts ?? [];
    return this.#id;
  }

  #newRoom(): Room {
    const { conversation, id: messageId } = this.#input.inbound;
    return new Room(this.#with, { conversation, turn: this.#id, messageId });
  }

  /** Runs the turn to its end. Rejects only when the journal cannot be written. */
  async answer(): Promise<TurnResult> {
    const past = this.#recalled?.end;
    if (past) {
      const result = this.#result(past.reason, past.usage, past.error);
      this.#say(result.text);
      return result;
    }
    const { agent } = this.#with.config.current;
    const clock = new TurnClock(agent.max_seconds * 1000);
    const signal = AbortSignal.any([this.#stopped, clock.signal]);
    const { inbound } = this.#input;
    const gate = new Gate(this.#with, inbound, this.#id, clock);
    try {
      const { from } = whoOf(this.#with, inbound);
      const turn = { conversation: inbound.conversation, from };
      const [, added] = await Promise.all([this.#begin(), this.#ready(turn)]);
      for (let steps = 0; ; steps++) {
        if (this.#stopped.aborted) return await this.#end('aborted');
        const over = this.#over(steps, clock.late);
        if (over) return await this.#end('limit', undefined, over);
        await this.#steer();
        const step = await this.#step(added, signal);
        if (step.calls.length > 0) await gate.look();
        if (step.reason === 'aborted' && clock.late && !this.#stopped.aborted)
          return await this.#end('limit', step, this.#over(steps, true));
        if (step.error?.code === 'model.overflow' && step.text === '' && this.#room.overflow()) continue;
        const goesOn = step.calls.length > 0 && (step.reason === 'tool-calls' || step.reason === 'stop');
        if (step.reason === 'stop' && step.calls.length === 0 && (await this.#steer(step))) continue;
        if (!goesOn) return await this.#end(step.reason, step, step.error);
        await this.#journal([...this.#entries(step), ...step.calls.map((call) => this.#call(call))]);
        await Promise.all(step.calls.map((call) => this.#run(call, gate.context(call, signal))));
      }
    } finally {
      clock.stop();
    }
  }

  /** What px adds to the turn, and what memory holds about it: made while the disk takes what was asked. */
  async #ready(turn: { conversation: ConversationId; from: TurnFrom }): Promise<Preamble> {
    const added = await preamble(this.#with, turn);
    if (turn.from !== 'guest') await this.#recollection.search(added, this.#model);
    return added;
  }

  /** Writes down what was asked; for a turn that was cut short, that its open calls have no result. */
  async #begin(): Promise<void> {
    if (!this.#recalled) return this.#journal([this.#said(this.#input.inbound)]);
    const lost = this.#recalled.open.flatMap((call): JournalEntry[] => {
      const waited = this.#undecided.has(call.id);
      const result = toolResult(call, errorText(waited ? unaskedCall(call) : lostCall()), true);
      const end: JournalEntry = { at: 0, kind: 'tool-result', turn: this.#id, result, ms: 0 };
      return waited ? [decidedNote(call, { decision: 'expired', by: 'px' }, ', which was restarted'), end] : [end];
    });
    if (lost.length > 0) await this.#journal(lost);
  }

  /** Takes in what was said meanwhile, after the words of the step that had just ended; false when nothing was said. */
  async #steer(ended?: Step): Promise<boolean> {
    const said = this.#input.steer?.() ?? [];
    if (said.length === 0) return false;
    const entries = said.map((inbound) => this.#said(inbound));
    await this.#journal([...(ended ? this.#entries(ended) : []), ...entries]);
    return true;
  }

  /** One model call, told to the bus as it goes. */
  async #step(added: Preamble, signal: AbortSignal): Promise<Step> {
    const { config, models, bus } = this.#with;
    const { conversation } = this.#input.inbound;
    const { messages: all, compacted } = await this.#room.messages(added, this.#model, signal);
    const guest = whoOf(this.#with, this.#input.inbound).from === 'guest';
    const messages = guest ? forGuest(all) : await this.#recollection.before(all, added, this.#model);
    if (compacted) {
      this.#usage = plus(this.#usage, compacted.usage);
      bus.emit({ type: 'turn.note', conversation, turn: this.#id, text: compacted.text });
    }
    const { max_output_tokens: maxOutputTokens, thinking } = config.current.model;
    const hidden = thinking === 'hidden';
    let before = this.#texts.length > 0 ? '\n\n' : '';
    const switched: Promise<void>[] = [];
    const watch = (event: ModelEvent) => {
      const at = { conversation, turn: this.#id };
      if (event.type === 'text' && event.text !== '') {
        this.#say(before + event.text);
        before = '';
      } else if (event.type === 'thinking' && !hidden) bus.emit({ type: 'turn.thinking', ...at, text: event.text });
      else if (event.type === 'tool-call') {
        this.#with.tools.soon(event.call.name);
        bus.emit({ type: 'turn.tool', ...at, call: event.call });
      }
    };
    const request = {
      model: this.#model,
      system: added.system,
      messages,
      tools: added.tools,
      cache: added.cache,
      maxOutputTokens,
      thinking,
      origin: { conversation, turn: this.#id, channel: this.#input.inbound.channel },
      onTool: (name: string) => this.#with.tools.soon(name),
      ...(this.#chosen ? {} : { onFailover: (change: Failover) => switched.push(this.#switch(change)) }),
    };
    const step = await runStep(models, request, signal, watch);
    await Promise.all(switched);
    this.#usage = plus(this.#usage, step.usage);
    bus.emit({ type: 'turn.usage', conversation, turn: this.#id, model: this.#model, usage: step.usage });
    if (step.text !== '') this.#texts.push(step.text);
    return step;
  }

  /** Another model goes on: told to everybody at once, and kept in the journal. */
  async #switch(change: Failover): Promise<void> {
    const { conversation } = this.#input.inbound;
    const { from, to, error, shown } = change;
    this.#model = to;
    this.#failed.push(change);
    this.#with.bus.emit({ type: 'model.changed', conversation, model: to, by: 'failover', why: error.message });
    if (shown) this.#say(`\n\n${brokeOff(change)}\n\n`);
    const text = `${from} did not answer (${error.message}) [${error.code}]; ${to} answers instead.`;
    this.#with.bus.emit({ type: 'turn.note', conversation, turn: this.#id, text });
    const data = { mark: 'px:failover', turn: this.#id, from, to, code: error.code, shown };
    await this.#journal([{ at: 0, kind: 'note', text, data }]);
  }

  /** One tool call; its result is in the journal as soon as it is there. */
  async #run(call: ToolCallPart, context: ToolContext): Promise<void> {
    const { conversation } = this.#input.inbound;
    const again = this.#guard.check(call);
    const run: ToolRun = again
      ? { result: toolResult(call, errorText(again), true), ms: 0 }
      : await this.#with.tools.run(call, context);
    const { result, ms } = run;
    this.#with.bus.emit({ type: 'turn.tool-result', conversation, turn: this.#id, result, ms });
    await this.#journal([{ at: 0, kind: 'tool-result', turn: this.#id, ...run }]);
  }

  /** The bound that was reached, in words; undefined while there is room. */
  #over(steps: number, late: boolean): ErrorShape | undefined {
    const { max_steps, max_seconds, max_tokens } = this.#with.config.current.agent;
    const over = (what: string, key: string) =>
      new PxError('agent.limit', `I stopped at my limit of ${what} for one answer.`, {
        hint: `Say "go on" to continue, or raise agent.${key} in px.yaml.`,
      }).toJSON();
    if (late) return over(`${max_seconds} seconds`, 'max_seconds');
    if (steps >= max_steps) return over(`${max_steps} steps`, 'max_steps');
    if (this.#usage.input + this.#usage.output >= max_tokens) return over(`${max_tokens} tokens`, 'max_tokens');
    return undefined;
  }

  /** Writes the last words and the end in one write: a journal has both or neither. */
  async #end(reason: EndReason, step?: Step, error?: ErrorShape): Promise<TurnResult> {
    const { id: messageId } = this.#input.inbound;
    if (reason === 'aborted' && this.#stopped.reason === shutdown) {
      const text = step?.text ? `px was stopped while it said: ${step.text}` : 'px was stopped during this turn.';
      await this.#journal([{ at: 0, kind: 'note', text }]);
      return { ...this.#result(reason, this.#usage), postponed: true };
    }
    const end: JournalEntry = { at: 0, kind: 'turn-end', turn: this.#id, messageId, reason, usage: this.#usage };
    await this.#journal([...(step ? this.#entries(step) : []), error ? { ...end, error } : end]);
    const result = this.#result(reason, this.#usage, error);
    const said = this.#texts.join('\n\n');
    const rest = [notice(reason, said.trim() !== '', error), instead(this.#failed)]
      .filter((t) => t !== '')
      .join('\n\n');
    if (rest !== '') this.#say(said === '' ? rest : `\n\n${rest}`);
    return result;
  }

  /** A message as the journal keeps it: whose it is, and that it comes from outside when it is not the owner's. */
  #said(inbound: Inbound): JournalEntry {
    const { sender, channel, id: messageId, text, metadata } = inbound;
    const attachments = attachmentsIn(metadata);
    const label = labelOf(whoOf(this.#with, inbound), inbound);
    const came = attachments.length === 0 ? {} : { attachments };
    return { at: 0, kind: 'user', sender, channel, messageId, text, ...came, ...label };
  }

  #say(text: string): void {
    this.#with.bus.emit({ type: 'turn.text', conversation: this.#input.inbound.conversation, turn: this.#id, text });
  }

  #result(reason: EndReason, usage: Usage, error?: ErrorShape): TurnResult {
    const text = [visible(this.#texts.join('\n\n'), reason, error), instead(this.#failed)]
      .filter((part) => part !== '')
      .join('\n\n');
    const { conversation } = this.#input.inbound;
    return { turn: this.#id, conversation, model: this.#model, reason, text, usage, ...(error ? { error } : {}) };
  }

  /** What a step said and thought, as the journal keeps it. */
  #entries(step: Step): JournalEntry[] {
    const thoughts = step.thinking.map(({ text, signature, provider }): JournalEntry => {
      const proof = {
        ...(signature === undefined ? {} : { signature }),
        ...(provider === undefined ? {} : { provider }),
      };
      return { at: 0, kind: 'thinking', turn: this.#id, text, ...proof };
    });
    if (step.text === '') return thoughts;
    return [...thoughts, { at: 0, kind: 'assistant', turn: this.#id, model: this.#model, text: step.text }];
  }

  #call(call: ToolCallPart): JournalEntry {
    return { at: 0, kind: 'tool-call', turn: this.#id, call };
  }

  #journal(entries: JournalEntry[]): Promise<void> {
    return this.#with.sessions.append(this.#input.inbound.conversation, entries);
  }
}

/** What becomes of a call that waited for a person's word when px was stopped: it was never made. */
function unaskedCall(call: ToolCallPart): PxError {
  return new PxError('policy.denied', `px was restarted while ${call.name} waited for a word; it was not run.`, {
    hint: 'Call it again to ask again, or tell the person.',
  });
}

/** What becomes of a call that was running when px was killed. */
function lostCall(): PxError {
  return new PxError('interrupted', 'px was restarted while this ran. It may have happened.', {
    hint: 'Check before doing it again.',
  });
}
