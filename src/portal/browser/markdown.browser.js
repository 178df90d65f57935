// Markdown of an answer while it is being written. Built from text nodes only: nothing in it can become markup.
import { element, plain } from './portal.browser.js';

/** Bold, code and web addresses of one line, as nodes.
 * @param {string} text
 */
function inline(text) {
  const parts =
    /`([^`\n]+)`|\*\*([^*\n]+)\*\*|\[([^\]\n]+)\]\((https?:\/\/[^\s)]+)\)|(https?:\/\/[^\s<>()[\]"']+[^\s<>()[\]"'.,;:!?])|(?<![\w./-])((?:[\w-][\w.-]*\/)*[\w-][\w.-]*\.md)#L?(\d{1,7})\b/g;
  /** @type {(Node | string)[]} */
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(parts)) {
    const [whole, code, strong, label, target, bare, note, line] = match;
    nodes.push(text.slice(from, match.index));
    from = match.index + whole.length;
    if (code !== undefined) nodes.push(element('code', code));
    else if (strong !== undefined) nodes.push(element('strong', strong));
    else if (note !== undefined) {
      const link = element('a', whole);
      link.href = `/memory/note?path=${encodeURIComponent(note)}&line=${line}#L${line}`;
      nodes.push(link);
    } else {
      const link = element('a', label ?? bare);
      link.href = target ?? bare ?? '';
      link.rel = 'noopener noreferrer';
      link.target = '_blank';
      nodes.push(link);
    }
  }
  return [...nodes, text.slice(from)];
}

/** Shows Markdown in an element: paragraphs, lists, headings, code blocks.
 * @param {HTMLElement} item
 * @param {string} markdown
 */
export function show(item, markdown) {
  /** @type {(HTMLElement | undefined)[]} */
  const blocks = [];
  /** @type {HTMLElement | undefined} */
  let list;
  /** @type {HTMLElement | undefined} */
  let code;
  for (const line of plain(markdown).split('\n')) {
    const fence = /^\s*(```|~~~)/.test(line);
    if (code) {
      if (fence) code = undefined;
      else code.textContent += `${code.textContent === '' ? '' : '\n'}${line}`;
      continue;
    }
    if (fence) {
      code = element('pre');
      blocks.push(code);
      list = undefined;
      continue;
    }
    const [, mark = '', entry] = /^\s*([-*+]|\d+[.)])\s+(.*)$/.exec(line) ?? [];
    const [, heading] = /^#{1,6}\s+(.*)$/.exec(line) ?? [];
    const last = blocks.at(-1);
    if (entry !== undefined) {
      const kind = /\d/.test(mark) ? 'ol' : 'ul';
      if (!list || list.localName !== kind) {
        list = element(kind);
        if (list instanceof HTMLOListElement) list.start = Number.parseInt(mark, 10);
        blocks.push(list);
      }
      const point = element('li');
      point.append(...inline(entry));
      list.append(point);
    } else if (line.trim() === '') {
      list = undefined;
      blocks.push(undefined);
    } else if (heading !== undefined) {
      list = undefined;
      const title = element('h3');
      title.append(...inline(heading));
      blocks.push(title);
    } else if (last?.localName === 'p') {
      last.append(element('br'), ...inline(line));
    } else {
      list = undefined;
      const paragraph = element('p');
      paragraph.append(...inline(line));
      blocks.push(paragraph);
    }
  }
  item.replaceChildren(...blocks.filter((block) => block !== undefined));
}
