import { spellOut } from '../model/model.ts';
import type { Sessions } from '../session/session.ts';
import type { Message, ModelRef } from '../wire/wire.ts';
import { type Compacted, type CompactOptions, type CompactRequest, compact, shrink } from './compact.ts';
import { recallTokens } from './recollect.ts';
import { messageTokens, type Preamble } from './request.ts';

/** What a model is taken to hold whose window nobody told, in tokens. */
const UNKNOWN_WINDOW = 128_000;

/** How full the window may get, and how many of `agent.history_messages` may stand, before older turns are summarised. */
const FULL = 0.8;

/** What a room is made from. */
type RoomOptions = CompactOptions & { sessions: Pick<Sessions, 'open' | 'append'> };
/** The turn a room is for. */
type RoomPlace = Pick<CompactRequest, 'conversation' | 'turn' | 'messageId'>;

/** Sees to it that a turn's requests fit the model: summarises older turns before the window is full, and after an overflow. */
export class Room {
  readonly #with: RoomOptions;
  readonly #at: RoomPlace;
  #tried = false;
  #overflowed = 0;

  constructor(options: RoomOptions, at: RoomPlace) {
    this.#with = options;
    this.#at = at;
  }

  /** The provider said that the last request was too large. False when it was made smaller twice already. */
  overflow(): boolean {
    this.#tried = false;
    return ++this.#overflowed <= 2;
  }

  /** The history to be sent now, and what was done to make it fit. */
  async messages(
    added: Preamble,
    model: ModelRef,
    signal: AbortSignal,
  ): Promise<{ messages: Message[]; compacted: Compacted | undefined }> {
    const { models, sessions, config } = this.#with;
    const { agent, model: settings } = config.current;
    const known = await models.window(model);
    const window = known ?? UNKNOWN_WINDOW;
    const output = Math.min(settings.max_output_tokens, Math.floor(window / 4));
    const { system, tools } = added.tokens;
    const fixed = system + tools + (await recallTokens(this.#with, added, model));
    const limit = Math.max(500, window - output - fixed);
    const read = async () => spellOut((await sessions.open(this.#at.conversation)).messages);
    let messages = await read();
    const used = messageTokens(messages);
    const full = used > limit * FULL || messages.length > agent.history_messages * FULL || this.#overflowed > 0;
    let compacted: Compacted | undefined;
    if (full && !this.#tried) {
      this.#tried = true;
      const keepTokens = this.#overflowed > 0 ? 0 : Math.floor(limit * 0.3);
      const keepMessages = Math.floor(agent.history_messages / 4);
      compacted = await compact(this.#with, { ...this.#at, model, keepTokens, keepMessages, limit }, signal);
      messages = await read();
    }
    const most = this.#overflowed > 0 ? Math.min(limit, used) / 2 ** this.#overflowed : limit;
    if ((known !== undefined || this.#overflowed > 0) && messageTokens(messages) > most)
      messages = shrink(messages, most);
    return { messages, compacted };
  }
}
