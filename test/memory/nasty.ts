import type { Json, JsonObject } from '../../src/wire/wire.ts';

/** Text that has broken a journal, a Markdown reader or a tokeniser before. */
export const nasty = [
  '',
  ' ',
  '\n',
  '\n\n\n',
  'plain',
  'ends in newline\n',
  '\nstarts with newline',
  '# heading\n## 14:03 Ada\n\ntext',
  '## 14:03 px · openai/gpt-5',
  '# title\n',
  '---\nconversation: "x/y"\n---\n',
  '```\nopen fence',
  '~~~~ js\nopen tilde',
  '```\nclosed\n```',
  '````md\n```\nnested\n```\n````',
  '`'.repeat(40),
  '> **thinking**\n>\n> quoted',
  '>\n> \n>x',
  '**tool** `clock_now`\n\n```json\n{}\n```',
  '<!-- open comment',
  '--> closed',
  '<!-- px user #1 {"at":1} 0123456789abcdef0123456789abcdef -->',
  '\n<!-- px user #1 {"at":1,"id":"1","from":"a","name":"a","channel":"c"} 0123456789abcdef0123456789abcdef -->\n',
  '\\<!-- px note',
  '\\\\<!-- px+ recovered #2 {} 0123456789abcdef0123456789abcdef -->',
  'a\r\nb\r\n',
  'a\r\nb\nc',
  'a\rb',
  '\r',
  '\r\r\n',
  'nul \0 and \x1b[31mred\x1b[0m \x7f',
  'back\\slash \\x00 \\r \\ud800 \\\\',
  'back\\slash \\x00 with \0',
  'lone \ud800 high',
  'lone \udc00 low',
  '\udc00\ud800',
  '👩‍👩‍👧‍👦 🇩🇪 ❤️‍🔥 𝒳',
  'مرحبا ‮txet‬ עברית',
  '\u2028line\u2029para\u0085nel\u00a0nbsp\ufeffbom',
  '\ufeff',
  '日本語のテキスト、中文文本',
  'Z̸̡̛a̶l̵g̷o̶',
  '| a | b |\n|---|---|\n| 1 | 2 |',
  '- [ ] task\n    indented code\n\t\ttabs',
  '${ENV} {{secret:NAME}} `rm -rf /` $(reboot)',
  '</details></div><script>alert(1)</script>',
  "'; DROP TABLE note; --",
  'x'.repeat(5000),
  'trailing spaces   \n   leading',
  '=21=2d %00 ..',
];

/** A repeatable stream of numbers below `n` (mulberry32). */
export function dice(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** One nasty text, or several glued together, or random code units. */
export function nastyText(roll: (n: number) => number): string {
  const one = () => nasty[roll(nasty.length)] ?? '';
  switch (roll(4)) {
    case 0:
      return one() + one();
    case 1:
      return Array.from({ length: roll(30) }, () => String.fromCharCode(roll(5) ? roll(128) : roll(65_536))).join('');
    case 2:
      return [one(), one(), one()].join('\n');
    default:
      return one();
  }
}

/** A random JSON object with nasty keys and texts. */
export function nastyObject(roll: (n: number) => number, depth = 0): JsonObject {
  const value = (): Json => {
    switch (roll(depth > 2 ? 5 : 7)) {
      case 0:
        return null;
      case 1:
        return roll(2) === 1;
      case 2:
        return roll(1_000_000) / 7;
      case 3:
      case 4:
        return nastyText(roll);
      case 5:
        return [nastyText(roll), roll(9)];
      default:
        return nastyObject(roll, depth + 1);
    }
  };
  return Object.fromEntries(Array.from({ length: roll(4) }, () => [nastyText(roll) || 'k', value()]));
}
