import { FakeDiscord } from '../discord-server.ts';
import { Between } from './between.ts';
import { contract } from './contract.ts';
import type { Platform } from './platform.ts';

const chat = '7700';
const no = (status: number, message: string, code: number, more = {}) =>
  Response.json({ message, code, ...more }, { status });

/** Messages come over the gateway, not through here: the latest is brought again there. */
class BesideGateway extends Between {
  bring = () => {};
  override async again(): Promise<void> {
    this.bring();
  }
}

/** Discord: a fake as strict as its documentation, which `../discord-fake.test.ts` proves. Its messages come over the gateway, past `between`. */
async function open(): Promise<Platform> {
  const discord = new FakeDiscord();
  const between = new BesideGateway({
    upstream: `http://${discord.host}`,
    purpose: (method, path) => (method === 'POST' && path.endsWith('/messages') ? 'send' : 'other'),
    brings: () => false,
  });
  between.bring = () => {
    const latest = discord.messages.findLast((m) => m.author['id'] === '70');
    if (latest) discord.gateway.dispatch('MESSAGE_CREATE', latest);
  };
  return {
    channel: 'discord',
    chat,
    person: '70',
    // px carries it, but a new home does not have it.
    plugin: 'discord',
    maxText: 2_000,
    env: { DISCORD_TOKEN: discord.token },
    config: (channel) => ({
      channels: { discord: channel },
      plugins: {
        discord: {
          settings: { api: `${between.url}/api/v10` },
          grants: {
            egress: [
              `GET,POST,PUT,PATCH,DELETE ${between.url}/api/`,
              `GET ws://${discord.host}/`,
              `GET http://${discord.host}/attachments/`,
            ],
            private_hosts: [between.host, discord.host],
            secrets: {
              DISCORD_TOKEN: [`header:authorization ${between.url}/api/`, `body:d.token ws://${discord.host}/`],
            },
          },
        },
      },
    }),
    async say(text) {
      const { id } = discord.say(text);
      void between.after('receive', text);
      return id;
    },
    seen: () =>
      discord.written(chat).map((message) => {
        const { id, content: text } = message;
        const [file] = message['attachments'] as { url: string; filename: string; content_type: string }[];
        const bytes = file && discord.files.get(new URL(file.url).pathname);
        const edits = message['edited_timestamp'] === null ? 0 : 1;
        return {
          id,
          text,
          edits,
          ...(file && bytes ? { file: { name: file.filename, mime: file.content_type, bytes } } : {}),
        };
      }),
    between,
    refusals: {
      never: () => no(403, 'Cannot send messages to this user', 50_007),
      later: () => no(429, 'You are being rate limited.', 0, { retry_after: 1, global: false }),
      token: () => no(401, '401: Unauthorized', 0),
    },
    once: true,
    streams: true,
    history: true,
    reactions: (message) => discord.reactions.filter((r) => r.message === message).map((r) => r.emoji),
    typed: () => discord.calls.filter((call) => call.path.endsWith('/typing')).length,
    files: {
      async send({ name, mime, bytes }, caption) {
        const place = `/attachments/${chat}/1/${name}`;
        discord.files.set(place, bytes);
        const url = `http://${discord.host}${place}`;
        discord.say(caption, {
          attachments: [{ id: '1', filename: name, content_type: mime, size: bytes.length, url }],
        });
      },
    },
    async [Symbol.asyncDispose]() {
      await between[Symbol.asyncDispose]();
      await discord[Symbol.asyncDispose]();
    },
  };
}

contract('discord', { webhook: 'its messages come over a gateway' }, open);
