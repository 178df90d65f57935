import type { Approvals, TurnFrom } from '../../policy/policy.ts';
import type { Inbound } from '../../wire/wire.ts';

const yes = /^(?:y|yes|yep|ok|okay|ja|oui|s[ií]|да|はい|👍)[.!\s]*$/iu;
const no = /^(?:n|no|nope|nein|non|нет|いいえ|👎)[.!\s]*$/iu;

/** How long a question must have stood before a plain word counts as its answer, in ms: nobody answers what they have not seen. */
const SEEN_MS = 1_500;

/**
 * A plain yes or no of the owner as the command it stands for, where exactly one question waits in that conversation; any other text as
 * it is.
 */
export function asCommand(
  inbound: Inbound,
  from: () => TurnFrom,
  approvals: Pick<Approvals, 'list'> | undefined,
  now = Date.now(),
): string {
  const text = inbound.text.trim();
  if (text.length > 12) return inbound.text;
  const verb = yes.test(text) ? 'approve' : no.test(text) ? 'deny' : undefined;
  if (verb === undefined || from() !== 'owner') return inbound.text;
  const [only, ...others] = (approvals?.list() ?? []).filter((one) => one.conversation === inbound.conversation);
  return only && others.length === 0 && now - only.at >= SEEN_MS ? `/${verb} ${only.id}` : inbound.text;
}
