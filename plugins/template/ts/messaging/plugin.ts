import { kvGetText, kvSet, type Manifest, type Message } from 'px';

/** What px knows of the plugin before it runs. `egress` and `secrets` are asked for: whoever installs the plugin agrees, or not. */
export const manifest: Manifest = {
  name: 'my-plugin',
  version: '0.1.0',
  description: 'Connects px to chat.example.com.',
  egress: ['GET,POST https://chat.example.com/messages'],
  secrets: { CHAT_TOKEN: ['bearer https://chat.example.com/'] },
};

const url = 'https://chat.example.com/messages';
/** px puts the secret in on its way out: the plugin never sees it. */
const headers = { authorization: 'Bearer {{secret:CHAT_TOKEN}}' };

/** The messages that came since the last call. This chat gives one a line: id, sender and text, with tabs between them. */
export async function pollEvents(): Promise<Message[]> {
  const answer = await fetch(`${url}?after=${kvGetText('last') ?? '0'}`, { headers });
  if (!answer.ok) throw new Error(`the chat answered ${answer.status}`);
  const lines = (await answer.text()).split('\n').filter((line) => line !== '');
  const messages = lines.map((line) => {
    const [id = '', sender = '', text = ''] = line.split('\t');
    return { id, sender: { id: sender, displayName: sender }, text };
  });
  const last = messages.at(-1);
  if (last) kvSet('last', last.id);
  return messages;
}

/** Sends text to somebody; returns the id the chat gave it. An error that begins with `refused:` is not tried again. */
export async function postMessage(channelId: string, content: string): Promise<string> {
  const answer = await fetch(url, { method: 'POST', headers, body: `${channelId}\n${content}` });
  const text = await answer.text();
  if (!answer.ok) throw new Error(answer.status === 403 ? `refused: ${text}` : `the chat answered ${answer.status}`);
  return text;
}
