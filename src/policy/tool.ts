import type { Verdict } from './policy.ts';

/** Whether no pattern of `agent.tools.deny` covers a tool's name. `*` matches any part, also none. */
export function toolAllowed(denyPatterns: string[], name: string): Verdict {
  const pattern = denyPatterns.find((deny) => covers(deny, name));
  return pattern === undefined
    ? { allow: true }
    : { allow: false, reason: `px.yaml denies the tool (agent.tools.deny: ${pattern})` };
}

function covers(pattern: string, name: string): boolean {
  const parts = pattern.split('*');
  const first = parts.shift() ?? '';
  const last = parts.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}
