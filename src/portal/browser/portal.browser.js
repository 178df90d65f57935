// The portal's one script. Everything a model or a plugin wrote is set as textContent, never as HTML.

const byId = (id) => document.getElementById(id);

async function post(path, body) {
  return fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function spendCode() {
  const code = location.hash.slice(1);
  if (code === '') return;
  history.replaceState(null, '', location.pathname + location.search);
  const state = byId('sign-in-state');
  if (!state) return;
  state.textContent = 'Signing in…';
  const response = await post('/api/session', { code });
  if (response.ok) location.reload();
  else {
    const { error } = await response.json();
    state.textContent = `${error.message} ${error.hint ?? ''}`;
  }
}

/** Keeps the newest in sight, unless the reader has scrolled away. */
function scroll(force = false) {
  const log = byId('log');
  if (force || log.scrollHeight - log.scrollTop - log.clientHeight < 160) log.scrollTop = log.scrollHeight;
}

function element(name, text = '') {
  const made = document.createElement(name);
  if (text !== '') made.textContent = text;
  return made;
}

/** Bold, code and web addresses of one line of Markdown, as nodes. */
function inline(text) {
  const parts =
    /`([^`\n]+)`|\*\*([^*\n]+)\*\*|\[([^\]\n]+)\]\((https?:\/\/[^\s)]+)\)|(https?:\/\/[^\s<>()[\]"']+[^\s<>()[\]"'.,;:!?])/g;
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(parts)) {
    const [whole, code, strong, label, target, bare] = match;
    nodes.push(text.slice(from, match.index));
    from = match.index + whole.length;
    if (code !== undefined) nodes.push(element('code', code));
    else if (strong !== undefined) nodes.push(element('strong', strong));
    else {
      const link = element('a', label ?? bare);
      link.href = target ?? bare;
      link.rel = 'noopener noreferrer';
      link.target = '_blank';
      nodes.push(link);
    }
  }
  return [...nodes, text.slice(from)];
}

/** Shows Markdown in an element: paragraphs, lists, headings, code blocks. Built from text nodes only. */
function show(item, markdown) {
  const blocks = [];
  let list;
  let code;
  for (const line of markdown.split('\n')) {
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
    const [, mark, entry] = /^\s*([-*+]|\d+[.)])\s+(.*)$/.exec(line) ?? [];
    const [, heading] = /^#{1,6}\s+(.*)$/.exec(line) ?? [];
    const last = blocks.at(-1);
    if (entry !== undefined) {
      const kind = /\d/.test(mark) ? 'OL' : 'UL';
      if (list?.tagName !== kind) {
        list = element(kind);
        if (kind === 'OL') list.start = Number.parseInt(mark, 10);
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
      const title = element('p');
      title.className = 'heading';
      title.append(...inline(heading));
      blocks.push(title);
    } else if (last?.tagName === 'P' && last.className === '') {
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

function add(kind, text = '') {
  byId('nothing')?.remove();
  const item = element('li', text);
  item.className = kind;
  byId('log').append(item);
  scroll(kind === 'user');
  return item;
}

function addStep(title, text) {
  const item = add('step');
  const details = element('details');
  details.append(element('summary', title), element('pre', text));
  item.append(details);
  return details;
}

function pathOf(conversation) {
  return `/api/conversations/${conversation.split('/').map(encodeURIComponent).join('/')}`;
}

/** Shows what happens in a conversation, wherever it was begun: here, in a terminal or on Telegram. */
function follower(conversation, busy) {
  const steps = new Map();
  let answer;
  let text = '';
  const handlers = {
    'turn.start': () => busy(true),
    'turn.text': (event) => {
      if (!answer) {
        text = '';
        answer = add('assistant');
      }
      text += event.text;
      show(answer, text);
      scroll();
    },
    'turn.tool': (event) => {
      steps.set(event.call.id, addStep(event.call.name, JSON.stringify(event.call.args, null, 2)));
      answer = undefined;
    },
    'turn.tool-result': ({ result }) => {
      const step = steps.get(result.callId);
      if (!step) return;
      step.append(element('pre', result.content.map((part) => part.text ?? '').join('\n')));
      if (result.isError) step.querySelector('summary').textContent += ' — failed';
      scroll();
    },
    'turn.end': (event) => {
      busy(false);
      if (!answer && event.text !== '') show(add('assistant'), event.text);
      if (event.error && !event.text.includes(event.error.message))
        add('note', `${event.error.message} ${event.error.hint ?? ''}`);
      answer = undefined;
      steps.clear();
    },
  };
  return (event) => {
    if (event.type === 'message.in' && event.inbound.conversation === conversation) add('user', event.inbound.text);
    else if (event.conversation === conversation) handlers[event.type]?.(event);
  };
}

/** The event stream of px, opened again when it breaks. */
function connect(onEvent, onState) {
  let socket;
  let wait = 500;
  let lost = false;
  const open = () => {
    socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/events`);
    socket.addEventListener('message', ({ data }) => {
      const event = JSON.parse(data);
      if (event.type !== 'ready') return onEvent(event);
      wait = 500;
      // What was said meanwhile is in the page, not in the stream.
      if (lost) return location.reload();
      onState(true);
    });
    socket.addEventListener('close', () => {
      if (!lost) onState(false);
      lost = true;
      setTimeout(open, wait);
      wait = Math.min(wait * 2, 15_000);
    });
  };
  open();
  return (message) => {
    if (socket.readyState !== WebSocket.OPEN) return false;
    socket.send(JSON.stringify(message));
    return true;
  };
}

function startChat() {
  const log = byId('log');
  const form = byId('say');
  if (!log || !form) return;
  const { conversation } = log.dataset;
  const box = form.elements.text;
  const stop = byId('stop');
  for (const item of log.querySelectorAll('.assistant')) show(item, item.textContent);
  scroll(true);
  box.focus();
  const follow = follower(conversation, (working) => {
    stop.hidden = !working;
  });
  const send = connect(
    (event) =>
      event.type === 'error' ? add('note', `${event.error.message} ${event.error.hint ?? ''}`) : follow(event),
    (reached) => reached || add('note', 'px cannot be reached. This page tries again by itself.'),
  );
  box.addEventListener('input', () => {
    box.rows = Math.min(8, box.value.split('\n').length);
  });
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  stop.addEventListener('click', () => post(`${pathOf(conversation)}/stop`, {}));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = box.value.trim();
    if (text === '' || !send({ type: 'chat', conversation, text })) return;
    box.value = '';
    box.rows = 1;
  });
  byId('new')?.addEventListener('submit', (event) => {
    event.preventDefault();
    const name = event.target.elements.name.value.trim().replaceAll('/', '-');
    if (name !== '') location.href = `/?c=${encodeURIComponent(`web/${name}`)}`;
  });
}

spendCode();
startChat();
