/**
 * Writes docs/images/tui.png: `px tui` of dist/px after a short talk, as a terminal shows it. Needs tmux and chromium (Debian packages).
 * usage: bun scripts/screenshot-tui.ts [--px FILE]
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { binary, Px } from '../test/e2e/px.ts';
import { Tmux } from '../test/e2e/tmux.ts';

const flag = process.argv.indexOf('--px');
const command = resolve(flag > 0 ? (process.argv[flag + 1] ?? binary) : binary);
const size = { columns: 128, rows: 32 };
const image = resolve(import.meta.dir, '../docs/images/tui.png');

/** What tmux captured, as a page that looks like a terminal. */
function page(captured: string): string {
  const colours = ['#1d2330', '#f07178', '#7fd88f', '#e6c06a', '#7aa2f7', '#c792ea', '#67d4e0', '#d8dee9'];
  const asText = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  let style = new Set<number>();
  const css = () => {
    const code = [...style].find((one) => one >= 30 && one <= 37);
    const fore = code === undefined ? undefined : colours[code - 30];
    return [
      style.has(1) ? 'font-weight:bold' : '',
      style.has(2) ? 'opacity:.55' : '',
      fore ? `color:${fore}` : '',
      style.has(7) ? 'background:#d8dee9;color:#10141c' : '',
    ].join(';');
  };
  const body = captured.split(/(\u001b\[[\d;]*m)/).map((part) => {
    const codes = /^\u001b\[([\d;]*)m$/.exec(part)?.[1];
    if (codes === undefined) return part === '' ? '' : `<span style="${css()}">${asText(part)}</span>`;
    for (const code of codes.split(';').map(Number)) {
      if (code === 0) style = new Set();
      else if (code >= 30 && code <= 39) style = new Set([...style].filter((one) => one < 30 || one > 39));
      if (code !== 0 && code !== 39 && code !== 49) style.add(code);
    }
    return '';
  });
  return `<!doctype html><meta charset="utf-8"><style>body{margin:0;background:#10141c}pre{margin:14px 18px;color:#d8dee9;
font:15px/19px "DejaVu Sans Mono","Liberation Mono",monospace}</style><pre>${body.join('')}</pre>`;
}

const folder = mkdtempSync(join(tmpdir(), 'px-shot-'));
try {
  await using px = await new Px({ command: [command] }).serve();
  await px.installed();
  await using terminal = await new Tmux().open(size);
  await terminal.type(`${command} --home ${px.home} tui`);
  await terminal.keys('Enter');
  await terminal.saw('live');
  const says: [string, string | RegExp][] = [
    ['remember that my bicycle is called Gudrun', 'I will remember that'],
    ['what is my bicycle called?', /memory_search[\s\S]*● /],
    ['what time is it?', '● It is'],
  ];
  for (const [text, answer] of says) {
    await terminal.type(text);
    await terminal.keys('Enter');
    await terminal.saw(answer);
  }
  // A few samples of memory and processor, so that there is a plot.
  await terminal.saw(/memory +[▁-█]{6}/);
  const html = join(folder, 'tui.html');
  await Bun.write(html, page((await terminal.screen(true)).trimEnd()));
  mkdirSync(join(image, '..'), { recursive: true });
  const chromium = ['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars'];
  const window = `--window-size=${36 + Math.ceil(size.columns * 9.03)},${28 + size.rows * 19}`;
  const shot = Bun.spawn(
    [...chromium, window, `--user-data-dir=${join(folder, 'profile')}`, `--screenshot=${image}`, `file://${html}`],
    {
      stdout: 'ignore',
      stderr: 'pipe',
    },
  );
  if ((await shot.exited) !== 0) throw new Error(await new Response(shot.stderr).text());
  console.log(image);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
