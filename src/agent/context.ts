import type { Models } from '../model/model.ts';
import type { Sessions } from '../session/session.ts';
import type { ConversationId, ModelRef } from '../wire/wire.ts';
import { recallTokens } from './recollect.ts';
import { messageTokens, type PreambleOptions, partTokens, preamble } from './request.ts';

/** What the next request of a conversation is made of. Tokens are estimates. */
interface ContextReport {
  conversation: ConversationId;
  model: ModelRef;
  profile: 'full' | 'minimal';
  /** In tokens, where known. */
  window: number | null;
  /** What px adds, without the history, when memory recalls as much as it may. */
  added: number;
  /** Everything. */
  total: number;
  parts: { name: string; tokens: number; stable: boolean }[];
}

/** Measures what px would send with the next message. */
export async function contextReport(
  options: PreambleOptions & { models: Pick<Models, 'default' | 'window'>; sessions: Pick<Sessions, 'open'> },
  conversation: ConversationId,
): Promise<ContextReport> {
  const [made, session] = await Promise.all([preamble(options), options.sessions.open(conversation)]);
  const model = session.model ?? options.models.default.ref;
  const parts = made.parts.map((part) => ({ name: part.name, tokens: partTokens(part), stable: part.stable }));
  parts.push({ name: `tools (${made.tools.length})`, tokens: made.tokens.tools, stable: true });
  const recalled = await recallTokens(options, made, model);
  parts.push({ name: 'recalled (at most)', tokens: recalled, stable: false });
  const added = parts.reduce((sum, part) => sum + part.tokens, 0);
  const history = messageTokens(session.messages);
  parts.push({ name: `history (${session.messages.length} messages)`, tokens: history, stable: false });
  const { profile } = options.config.current.agent;
  const window = (await options.models.window(model)) ?? null;
  return { conversation, model, profile, window, added, total: added + history, parts };
}
