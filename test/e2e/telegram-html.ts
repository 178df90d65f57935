/** Tags Telegram knows, and the entity each makes. */
const tags: { [tag: string]: string } = {
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  u: 'underline',
  s: 'strikethrough',
  code: 'code',
  pre: 'pre',
  a: 'text_link',
  blockquote: 'blockquote',
  'tg-spoiler': 'spoiler',
};
const named: { [name: string]: string } = { lt: '<', gt: '>', amp: '&', quot: '"' };

/** Telegram's HTML as its server reads it: unknown and unbalanced tags are errors. */
export function parseHtml(html: string): { text: string; entities: string[]; error: string | undefined } {
  const open: string[] = [];
  const entities: string[] = [];
  let text = '';
  for (let at = 0; at < html.length; ) {
    const c = html[at] ?? '';
    if (c === '&') {
      const found = /^&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w+));/i.exec(html.slice(at, at + 12));
      const [whole, decimal, hex, name] = found ?? [];
      if (decimal) text += String.fromCodePoint(Number(decimal));
      else if (hex) text += String.fromCodePoint(Number.parseInt(hex, 16));
      else if (name && named[name]) text += named[name];
      else text += whole ?? c;
      at += whole?.length ?? 1;
    } else if (c === '<') {
      const end = html.indexOf('>', at);
      if (end < 0) return { text, entities, error: `unclosed start tag at byte offset ${at}` };
      const [, slash, name = '', rest = ''] = /^<(\/?)([a-z-]+)([^>]*)>$/i.exec(html.slice(at, end + 1)) ?? [];
      const tag = name.toLowerCase();
      const kind = tags[tag];
      if (!kind) return { text, entities, error: `unsupported start tag "${name}" at byte offset ${at}` };
      if (slash) {
        if (open.pop() !== tag) return { text, entities, error: `unexpected end tag at byte offset ${at}` };
      } else {
        if (rest !== '' && !/^ (?:href="[^"<>]*"|class="language-[^"<>]*"|expandable)$/.test(rest))
          return { text, entities, error: `odd attributes at byte offset ${at}` };
        open.push(tag);
        entities.push(kind);
      }
      at = end + 1;
    } else {
      text += c;
      at += 1;
    }
  }
  return {
    text,
    entities,
    error: open.length > 0 ? `can't find end tag corresponding to start tag "${open.at(-1)}"` : undefined,
  };
}
