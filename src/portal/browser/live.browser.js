// Pages that move while one looks: lines that grow, lists that are made anew when something happened.
import { connect, element } from './portal.browser.js';

/** @typedef {{ svg: SVGElement, big: HTMLElement, values: number[], unit: string }} Plot */

const most = 120;
/** @type {Map<string, Plot>} */
const plots = new Map();
for (const figure of document.querySelectorAll('figure[data-plot]')) {
  const svg = figure.querySelector('svg');
  const big = figure.querySelector('.big');
  if (figure instanceof HTMLElement && svg && big instanceof HTMLElement)
    plots.set(figure.dataset['plot'] ?? '', { svg, big, values: [], unit: figure.dataset['unit'] ?? '' });
}

/** @param {string} name @param {number} value @param {string} words */
function plot(name, value, words) {
  const at = plots.get(name);
  if (!at) return;
  at.values.push(value);
  if (at.values.length > most) at.values.shift();
  at.big.textContent = words;
  const top = Math.max(...at.values, 1e-9) * 1.15;
  // A young line is drawn wide, an old one moves.
  const step = 300 / (Math.max(30, at.values.length) - 1);
  const points = at.values.map((one, i) => `${(i * step).toFixed(1)},${(60 - (one / top) * 56).toFixed(1)}`);
  const [line, area] = [at.svg.querySelector('.line'), at.svg.querySelector('.area')];
  line?.setAttribute('points', points.join(' '));
  const end = ((at.values.length - 1) * step).toFixed(1);
  area?.setAttribute('points', `0,60 ${points.join(' ')} ${end},60`);
}

/** @type {Status | undefined} */
let last;
async function sample() {
  if (document.hidden) return;
  const response = await fetch('/api/status').catch(() => undefined);
  if (!response?.ok) return;
  /** @type {Status} */
  const now = await response.json();
  const plugins = now.plugins.reduce((sum, one) => sum + (one.rssBytes ?? 0), 0);
  const megabytes = (/** @type {number} */ bytes) => `${(bytes / 1048576).toFixed(1)} MiB`;
  plot('memory', now.memory.rssBytes, megabytes(now.memory.rssBytes));
  plot('plugins', plugins, megabytes(plugins));
  plot('queue', now.queue.running + now.queue.waiting, `${now.queue.running} + ${now.queue.waiting}`);
  if (last && now.uptimeMs > last.uptimeMs) {
    const share = ((now.cpuMs - last.cpuMs) / (now.uptimeMs - last.uptimeMs)) * 100;
    plot('cpu', share, `${share.toFixed(1)} %`);
  }
  last = now;
}
if (plots.size > 0) {
  sample();
  setInterval(sample, 2000);
}

/** Fetches the page again and puts the parts in that are marked as live, unless somebody is typing in them. */
async function refresh() {
  if (document.hidden) return;
  const response = await fetch(location.href, { headers: { accept: 'text/html' } }).catch(() => undefined);
  if (!response?.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
  for (const part of document.querySelectorAll('[data-live]')) {
    const next = part.id === '' ? null : fresh.getElementById(part.id);
    if (next && !part.contains(document.activeElement) && !part.querySelector('details[open]')) part.replaceWith(next);
  }
}
let soon = false;
/** Once for many things that happen together. */
function later() {
  if (soon) return;
  soon = true;
  setTimeout(() => {
    soon = false;
    refresh();
  }, 400);
}

// What is about to change without an event is looked at again until it has.
const polling = setInterval(() => {
  if (document.querySelector('[data-poll]')) refresh();
  else clearInterval(polling);
}, 1500);

const feed = document.getElementById('feed');
/** @param {number} at @param {string} text */
function tell(at, text, kind = '') {
  if (!feed) return;
  const item = element('li', '', kind);
  item.append(element('time', new Date(at).toLocaleTimeString('sv')), ` ${text}`);
  feed.prepend(item);
  while (feed.childElementCount > 60) feed.lastElementChild?.remove();
}

const watched = new Set((document.querySelector('[data-on]')?.getAttribute('data-on') ?? '').split(' '));
const about = feed?.dataset['about'];
if (feed || watched.size > 0)
  connect(
    (event) => {
      const [family = ''] = event.type.split('.');
      if (watched.has(family) || watched.has(event.type)) later();
      if ('plugin' in event && (about === undefined || event.plugin === about)) {
        if (event.type === 'plugin.call')
          tell(
            event.at,
            `${event.plugin} ${event.function}: ${event.ok ? `${event.ms.toFixed(1)} ms` : (event.error?.message ?? 'failed')}`,
            event.ok ? '' : 'bad',
          );
        else if (event.type === 'plugin.denied')
          tell(event.at, `${event.plugin} was denied ${event.capability}: ${event.detail}`, 'bad');
      }
    },
    (reached, again) => {
      if (feed) feed.dataset['ready'] = reached ? 'yes' : 'no';
      if (again) refresh();
    },
  );
