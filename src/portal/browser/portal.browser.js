// The portal's one script. Everything a model or a plugin wrote is set as textContent, never as HTML.

const byId = (id) => document.getElementById(id);

async function post(path, body, accept = 'application/json') {
  return fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
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

function add(kind, text = '') {
  const item = document.createElement('li');
  item.className = kind;
  item.textContent = text;
  byId('log').append(item);
  item.scrollIntoView({ block: 'end' });
  return item;
}

function addStep(title, text) {
  const item = add('step');
  const details = document.createElement('details');
  const summary = document.createElement('summary');
  const pre = document.createElement('pre');
  summary.textContent = title;
  pre.textContent = text;
  details.append(summary, pre);
  item.append(details);
}

async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    rest += value;
    const blocks = rest.split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const data = block.split('\n').filter((line) => line.startsWith('data: '));
      if (data.length > 0) yield JSON.parse(data.map((line) => line.slice(6)).join('\n'));
    }
  }
}

function pathOf(conversation) {
  return `/api/conversations/${conversation.split('/').map(encodeURIComponent).join('/')}`;
}

async function say(conversation, text) {
  add('user', text);
  let answer;
  const response = await post(`${pathOf(conversation)}/messages`, { text }, 'text/event-stream');
  if (!response.ok) {
    const { error } = await response.json();
    add('note', `${error.message} ${error.hint ?? ''}`);
    return;
  }
  for await (const event of events(response)) {
    if (event.type === 'turn.text') {
      answer ??= add('assistant');
      answer.textContent += event.text;
      answer.scrollIntoView({ block: 'end' });
    } else if (event.type === 'turn.tool') {
      addStep(`tool ${event.call.name}`, JSON.stringify(event.call.args, null, 2));
      answer = undefined;
    } else if (event.type === 'turn.tool-result') {
      const text = event.result.content.map((part) => part.text ?? '').join('\n');
      addStep(event.result.isError ? 'tool failed' : 'tool answered', text);
    } else if (event.type === 'turn.end') {
      if (event.reason === 'aborted') add('note', 'Stopped.');
      if (event.error) add('note', `${event.error.message} ${event.error.hint ?? ''}`);
    }
  }
}

function startChat() {
  const log = byId('log');
  const form = byId('say');
  if (!log || !form) return;
  const { conversation } = log.dataset;
  const box = form.elements.text;
  const stop = byId('stop');
  log.lastElementChild?.scrollIntoView({ block: 'end' });
  box.focus();
  box.addEventListener('input', () => {
    box.rows = Math.min(8, box.value.split('\n').length);
  });
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  stop.addEventListener('click', () => post(`${pathOf(conversation)}/stop`, {}));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const text = box.value.trim();
    if (text === '') return;
    box.value = '';
    box.rows = 1;
    stop.hidden = false;
    try {
      await say(conversation, text);
    } catch {
      add('note', 'px cannot be reached. Is it running?');
    }
    stop.hidden = true;
  });
  byId('new')?.addEventListener('submit', (event) => {
    event.preventDefault();
    const name = event.target.elements.name.value.trim().replaceAll('/', '-');
    if (name !== '') location.href = `/?c=${encodeURIComponent(`web/${name}`)}`;
  });
}

spendCode();
startChat();
