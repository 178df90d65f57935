import { describe, expect, test } from 'bun:test';
import { splitText } from '../../src/channel/channel.ts';

const words = (text: string) => text.split(/\s+/).filter(Boolean);

describe('splitting long answers', () => {
  test('leaves a text that fits as it is', () => {
    expect(splitText('  hello\n', 100)).toEqual(['  hello\n']);
  });

  test('cuts between paragraphs, then lines, then words, and loses no word', () => {
    const text = Array.from(
      { length: 300 },
      (_, i) => `word${i}${i % 17 === 0 ? '\n\n' : i % 5 === 0 ? '\n' : ' '}`,
    ).join('');
    const parts = splitText(text, 200);
    for (const part of parts) expect(part.length).toBeLessThanOrEqual(200);
    expect(words(parts.join(' '))).toEqual(words(text));
  });

  test('cuts a word that is too long between visible characters', () => {
    const family = '👨‍👩‍👧‍👦';
    const parts = splitText(family.repeat(60), 100);
    expect(parts.join('')).toBe(family.repeat(60));
    for (const part of parts) {
      expect(part.length).toBeLessThanOrEqual(100);
      expect(part.isWellFormed()).toBe(true);
      expect(part.replaceAll(family, '')).toBe('');
    }
  });

  test('never breaks a surrogate pair, whatever the width', () => {
    const text = 'a𝕏b𝕐'.repeat(200);
    for (let max = 64; max < 80; max++) {
      const parts = splitText(text, max);
      expect(parts.every((p) => p.isWellFormed() && p.length <= max)).toBe(true);
      expect(parts.join('')).toBe(text);
    }
  });

  test('closes a code block that must be cut and opens it again with its language', () => {
    const code = Array.from({ length: 60 }, (_, i) => `  const v${i} = ${i};`);
    const parts = splitText(['Here:', '```ts', ...code, '```', 'Done.'].join('\n'), 300);
    expect(parts.length).toBeGreaterThan(3);
    for (const part of parts) {
      expect(part.length).toBeLessThanOrEqual(300);
      expect((part.match(/^```/gm) ?? []).length % 2).toBe(0);
    }
    for (const part of parts.slice(1, -1)) expect(part.startsWith('```ts\n')).toBe(true);
    expect(
      parts
        .join('\n')
        .split('\n')
        .filter((l) => l.startsWith('  const')),
    ).toEqual(code);
    expect(parts.at(-1)).toEndWith('Done.');
  });

  test('makes no empty code block when the cut falls on its end', () => {
    for (let pad = 0; pad < 80; pad++) {
      const parts = splitText(
        `${'x'.repeat(pad)} y\n\`\`\`js\n${'let a;\n'.repeat(6)}\`\`\`\nafter ${'z '.repeat(40)}`,
        80,
      );
      for (const part of parts) {
        expect(part.length).toBeLessThanOrEqual(80);
        expect(part).not.toMatch(/^```js\n+```/m);
        expect((part.match(/^```/gm) ?? []).length % 2).toBe(0);
      }
    }
  });

  test('keeps a short code block whole when it fits the next part', () => {
    const block = '```\nshort\nblock\n```';
    const parts = splitText(`${'intro '.repeat(14)}\n${block}\nend`, 100);
    expect(parts.some((p) => p.includes(block))).toBe(true);
  });

  test('ends on any input, and within the limit', () => {
    const odd = ['```', '~~~x', '````', ' ', '\n', 'a', '`', '\ud83d', '\ude00', '\t', 'word'];
    let seed = 7;
    const next = () => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    for (let run = 0; run < 300; run++) {
      const text = Array.from({ length: 300 }, () => odd[Math.floor(next() * odd.length)] ?? '').join('');
      for (const part of splitText(text, 64)) {
        expect(part.length).toBeLessThanOrEqual(64);
        expect(part.trim()).not.toBe('');
      }
    }
  });
});
