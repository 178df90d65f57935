// On every page: signing in, and the keyboard.

/** The event stream of px, opened again when it breaks.
 * @param {(event: PxEvent) => void} onEvent
 * @param {(reached: boolean, again: boolean) => void} [onState]
 */
export function connect(onEvent, onState = () => {}) {
  /** @type {WebSocket} */
  let socket;
  let wait = 500;
  let lost = false;
  const open = () => {
    socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/events`);
    socket.addEventListener('message', ({ data }) => {
      /** @type {PxEvent} */
      const event = JSON.parse(data);
      if (event.type !== 'ready') return onEvent(event);
      wait = 500;
      onState(true, lost);
      lost = false;
    });
    socket.addEventListener('close', () => {
      if (!lost) onState(false, false);
      lost = true;
      setTimeout(open, wait);
      wait = Math.min(wait * 2, 15_000);
    });
  };
  open();
  return (/** @type {object} */ message) => {
    if (socket.readyState !== WebSocket.OPEN) return false;
    socket.send(JSON.stringify(message));
    return true;
  };
}

/** Asks px for something to be done.
 * @param {string} path
 * @param {object} body
 */
export const post = (path, body) =>
  fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** What steers a terminal or turns the order of letters is not shown: it would only hide what stands there (src/portal/ui/markdown.ts). */
const unseen =
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-_])|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** A text without what cannot be seen. @param {string} text */
export const plain = (text) => text.replace(unseen, '');

/** An element with text in it: whatever a model or a plugin wrote is never more than that.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} name
 */
export function element(name, text = '', kind = '') {
  const made = document.createElement(name);
  if (text !== '') made.textContent = plain(text);
  if (kind !== '') made.className = kind;
  return made;
}

async function spendCode() {
  const code = location.hash.slice(1);
  const state = document.getElementById('sign-in-state');
  if (code === '') return;
  // Who is signed in needs no code: it only has to leave the address.
  if (state || (/^[\w-]{32}$/.test(code) && !document.getElementById(code)))
    history.replaceState(null, '', location.pathname + location.search);
  if (!state) return;
  state.textContent = 'Signing in…';
  const response = await post('/api/session', { code });
  if (response.ok) return location.reload();
  const { error } = await response.json();
  state.textContent = `${error.message} ${error.hint ?? ''}`;
}

/** `g` and a letter goes to a page, `/` to the search, `?` shows which there are.
 * @type {Record<string, string>}
 */
const places = {
  c: '/',
  l: '/conversations',
  m: '/memory',
  j: '/schedule',
  h: '/channels',
  o: '/models',
  p: '/plugins',
  s: '/settings',
  a: '/approvals',
  u: '/audit',
  t: '/status',
  d: '/docs',
};

function keyboard() {
  let going = 0;
  addEventListener('keydown', (event) => {
    const { target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || !(target instanceof Element)) return;
    if (target.closest('input, textarea, select, [contenteditable]')) return;
    if (event.key === '/') {
      const search = document.querySelector('input[type=search], textarea[name=text]');
      if (search instanceof HTMLElement) {
        event.preventDefault();
        search.focus();
      }
    } else if (event.key === '?') location.assign('/settings#keyboard');
    else if (event.key === 'g') going = Date.now();
    else if (Date.now() - going < 1500) {
      going = 0;
      const place = Object.hasOwn(places, event.key) ? places[event.key] : undefined;
      if (place !== undefined) location.assign(place);
    }
  });
}

/** Small comforts of forms: a filter that applies at once, a second press of a button that does nothing. */
function forms() {
  addEventListener('submit', ({ target }) => {
    if (!(target instanceof HTMLFormElement) || target.method !== 'post') return;
    setTimeout(() => {
      for (const button of target.querySelectorAll('button')) button.disabled = true;
    });
  });
  // Back and forward bring the page as it was: its buttons have to work again.
  addEventListener('pageshow', () => {
    for (const button of document.querySelectorAll('form button'))
      if (button instanceof HTMLButtonElement) button.disabled = false;
  });
  addEventListener('click', ({ target }) => {
    if (!(target instanceof Node)) return;
    for (const open of document.querySelectorAll('details.sure[open]'))
      if (open instanceof HTMLDetailsElement && !open.contains(target)) open.open = false;
  });
  addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape') return;
    const open = document.querySelector('details.sure[open]');
    if (!(open instanceof HTMLDetailsElement)) return;
    open.open = false;
    open.querySelector('summary')?.focus();
  });
}

spendCode();
addEventListener('hashchange', spendCode);
keyboard();
forms();
