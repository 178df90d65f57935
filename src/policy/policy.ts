import type { Scheme } from './target.ts';

/** A parsed egress rule: which requests a plugin may make. */
export interface EgressRule {
  methods: string[];
  scheme: Scheme;
  /** `api.example.com` or `*.example.com`. */
  host: string;
  port: number;
  pathPrefix: string;
}

/** A yes, or a no with its reason in words a person understands. */
export type Verdict = { allow: true } | { allow: false; reason: string };

export { checkAddress, classifyAddress } from './address.ts';
export { type Approvals, type Decided, openApprovals, type PersonDecision } from './approvals.ts';
export { type Ask, type Asked, asksOf, grantOf } from './ask.ts';
export { type CapState, cappedBy } from './budget.ts';
export { checkEgress, parseEgress } from './egress.ts';
export { parseFolder } from './folder.ts';
export { labelsIn, markOutside } from './label.ts';
export { parseSecretTarget, type SecretPlace, secretMayGo } from './place.ts';
export { standingPage } from './standing.ts';
export {
  isQuoted,
  type Judged,
  type Judgement,
  judgeTool,
  type Reach,
  type ToolPolicy,
  type TurnFrom,
  toolAllowed,
} from './tool.ts';
