// The chat: says, follows what happens in the conversation wherever it was begun, asks and stops.
import { show } from './markdown.browser.js';
import { connect, element, plain, post } from './portal.browser.js';

const log = /** @type {HTMLOListElement} */ (document.getElementById('log'));
const form = /** @type {HTMLFormElement} */ (document.getElementById('say'));
const box = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem('text'));
const stop = /** @type {HTMLButtonElement} */ (document.getElementById('stop'));
const state = /** @type {HTMLElement} */ (document.getElementById('state'));
const conversation = log.dataset['conversation'] ?? '';
const chat = `/api/conversations/${conversation.split('/').map(encodeURIComponent).join('/')}`;

/** Keeps the newest in sight, unless the reader has scrolled away. */
function scroll(force = false) {
  if (force || log.scrollHeight - log.scrollTop - log.clientHeight < 160) log.scrollTop = log.scrollHeight;
}

function add(kind = '', text = '') {
  document.getElementById('nothing')?.remove();
  const item = element('li', '', kind);
  const body = element('div', text, kind === 'assistant' ? 'text' : '');
  item.append(body);
  log.append(item);
  scroll(kind === 'user');
  return body;
}

/** @param {string} title @param {string} text */
function addStep(title, text) {
  const body = add('step');
  const details = element('details');
  details.append(element('summary', title), element('pre', text));
  body.append(details);
  return details;
}

/** @type {Map<string, HTMLElement>} */
const questions = new Map();
for (const asked of log.querySelectorAll('.ask')) {
  if (!(asked instanceof HTMLElement)) continue;
  const id = asked.dataset['id'] ?? '';
  questions.set(id, asked);
  asked.addEventListener('submit', (event) => {
    event.preventDefault();
    event.stopPropagation();
    const choice = event.submitter instanceof HTMLButtonElement ? event.submitter.value : '';
    decide(id, asked, choice);
  });
}

/** @param {string} id @param {HTMLElement} asked @param {string} decision */
async function decide(id, asked, decision) {
  for (const button of asked.querySelectorAll('button')) button.disabled = true;
  const response = await post(`/api/approvals/${encodeURIComponent(id)}`, { decision });
  if (response.ok) return;
  const { error } = await response.json();
  asked.append(element('p', error.message));
}

/** @param {Question} question */
function ask(question) {
  if (questions.has(question.id)) return;
  const body = add('wait');
  const asked = element('div', '', 'ask');
  const title = element('p');
  title.append(element('strong', question.tool), ` of ${question.origin} waits for your word: ${question.reason}.`);
  asked.append(title, element('pre', question.arguments));
  if (question.labels.length > 0)
    asked.append(element('p', `This conversation has read text from outside: ${question.labels.join(', ')}.`));
  const row = element('div', '', 'row');
  for (const [decision, words, kind] of /** @type {const} */ ([
    ['once', 'Allow once', 'main'],
    ['session', 'Allow in this conversation', ''],
    ['time', 'Allow for an hour', ''],
    ['deny', 'Deny', 'danger'],
  ])) {
    const button = element('button', words, kind);
    button.type = 'button';
    button.value = decision;
    button.addEventListener('click', () => decide(question.id, asked, decision));
    row.append(button);
  }
  asked.append(row);
  body.append(asked);
  questions.set(question.id, asked);
  scroll(true);
}

/** @param {string} id @param {string} decision @param {string} by */
function decided(id, decision, by) {
  const asked = questions.get(id);
  if (!asked) return;
  const words = decision === 'deny' ? 'Denied' : decision === 'expired' ? 'Nobody answered in time' : 'Allowed';
  asked.replaceChildren(element('p', `${words}${decision === 'expired' ? '' : ` by ${by}`}.`));
}

/** @param {boolean} working */
function busy(working) {
  stop.hidden = !working;
  state.hidden = !working;
}

/** Pictures that were sent from here, by name: px tells their bytes again when the page is read anew.
 * @type {Map<string, HTMLImageElement>}
 */
const pictures = new Map();

/** @type {Map<string, HTMLElement>} */
const steps = new Map();
/** @type {HTMLElement | undefined} */
let answer;
/** @type {HTMLElement | undefined} */
let thought;
let text = '';
let due = false;

/** Draws at most once a frame, however fast words come. */
function draw() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    if (answer) show(answer, text);
    scroll();
  });
}

/** @param {PxEvent} event */
function follow(event) {
  if (event.type === 'error') return void add('note bad', `${event.error.message} ${event.error.hint ?? ''}`);
  if (event.type === 'message.in') {
    const { inbound } = event;
    if (inbound.conversation !== conversation) return;
    const item = add('user', inbound.text).parentElement;
    for (const { name, mime } of inbound.metadata?.attachments ?? [])
      item?.append(pictures.get(name ?? '') ?? element('span', name || mime, 'tag'));
    pictures.clear();
    return;
  }
  if (!('conversation' in event) || event.conversation !== conversation) return;
  switch (event.type) {
    case 'turn.start':
      busy(true);
      break;
    case 'turn.text':
      if (!answer) {
        text = '';
        answer = add('assistant');
      }
      text += event.text;
      draw();
      break;
    case 'turn.thinking':
      thought ??= addStep('thinking', '').querySelector('pre') ?? undefined;
      if (thought) thought.textContent += plain(event.text);
      break;
    case 'turn.note':
      add('note', event.text);
      break;
    case 'turn.tool':
      if (answer) show(answer, text);
      steps.set(event.call.id, addStep(event.call.name, JSON.stringify(event.call.args, null, 2)));
      answer = thought = undefined;
      break;
    case 'turn.tool-result': {
      const step = steps.get(event.result.callId);
      if (!step) break;
      step.append(element('pre', event.result.content.map((part) => part.text ?? '[picture]').join('\n')));
      const summary = step.querySelector('summary');
      if (event.result.isError) step.closest('li')?.classList.add('failed');
      if (summary) summary.textContent += event.result.isError ? ' — failed' : ` · ${Math.round(event.ms)} ms`;
      scroll();
      break;
    }
    case 'approval.asked':
      ask(event);
      break;
    case 'approval.decided':
      decided(event.id, event.decision, event.by);
      break;
    case 'turn.end':
      busy(false);
      if (answer) show(answer, text);
      else if (event.text !== '') show(add('assistant'), event.text);
      if (event.error && !event.text.includes(event.error.message))
        add('note bad', `${event.error.message} ${event.error.hint ?? ''}`);
      answer = thought = undefined;
      steps.clear();
      break;
  }
}

const send = connect(follow, (reached, again) => {
  // What was said meanwhile is in the page, not in the stream.
  if (again) location.reload();
  else if (!reached) add('note bad', 'px cannot be reached. This page tries again by itself.');
});
document.getElementById('others')?.addEventListener('toggle', async () => {
  const recent = document.getElementById('recent');
  if (!recent || recent.childElementCount > 0) return;
  const response = await fetch('/api/conversations');
  if (!response.ok) return;
  /** @type {{ conversations: { conversation: string }[] }} */
  const { conversations } = await response.json();
  const names = new Set(['web/me', ...conversations.map((one) => one.conversation)]);
  names.delete(conversation);
  for (const name of [...names].slice(0, 8)) {
    const [item, link] = [element('li'), element('a', name)];
    link.href = `/?c=${encodeURIComponent(name)}`;
    item.append(link);
    recent.append(item);
  }
});
scroll(true);
if (matchMedia('(hover: hover)').matches) box.focus();

box.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
stop.addEventListener('click', (event) => {
  event.preventDefault();
  post(`${chat}/stop`, {});
});
addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !stop.hidden) post(`${chat}/stop`, {});
});
const list = /** @type {HTMLElement} */ (document.getElementById('files'));
const picker = /** @type {HTMLInputElement} */ (form.elements.namedItem('files'));
/** @type {File[]} */
let files = [];

/** @param {Iterable<File>} more */
function attach(more) {
  files = [...files, ...more].slice(0, 10);
  list.replaceChildren(
    ...files.map((file) => {
      const item = element('li', file.name);
      const button = element('button', '×', 'ghost');
      button.type = 'button';
      button.setAttribute('aria-label', `Leave ${file.name} out`);
      button.addEventListener('click', () => {
        files = files.filter((one) => one !== file);
        attach([]);
      });
      item.append(button);
      return item;
    }),
  );
}
picker.addEventListener('change', () => {
  attach([...(picker.files ?? [])]);
  picker.value = '';
  box.focus();
});
addEventListener('paste', ({ clipboardData }) => attach([...(clipboardData?.files ?? [])]));
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', (event) => {
  event.preventDefault();
  attach([...(event.dataTransfer?.files ?? [])]);
});

/** @param {File} file @returns {Promise<{ mime: string, name: string, data: string }>} */
const read = (file) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('error', () => reject(reader.error));
    reader.addEventListener('load', () => {
      const mime = file.type.split(';')[0] || 'application/octet-stream';
      resolve({ mime, name: file.name, data: String(reader.result).replace(/^.*?,/, '') });
    });
    reader.readAsDataURL(file);
  });

/** Says something with files: too much for the line of events. The answer is followed there all the same.
 * @param {string} words
 * @param {File[]} given
 */
async function sendFiles(words, given) {
  const attachments = await Promise.all(given.map(read));
  for (const { name, mime, data } of attachments) {
    if (!/^image\/(?:png|jpeg|gif|webp)$/.test(mime)) continue;
    const picture = element('img');
    picture.src = `data:${mime};base64,${data}`;
    picture.alt = name;
    pictures.set(name, picture);
  }
  const response = await fetch(`${chat}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ text: words, attachments }),
  });
  if (response.ok) return void response.body?.cancel();
  const { error } = await response.json();
  throw new Error(`${error.message} ${error.hint ?? ''}`);
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  event.stopPropagation();
  const words = box.value.trim();
  if (files.length > 0) {
    const given = files;
    files = [];
    attach([]);
    sendFiles(words || 'See what I attached.', given).catch((thrown) => {
      add('note bad', `It was not sent: ${thrown.message}`);
      attach(given);
    });
  } else if (words === '' || !send({ type: 'chat', conversation, text: words })) return;
  box.value = '';
});
