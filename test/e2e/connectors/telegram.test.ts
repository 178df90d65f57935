import { BotApi } from '../bot-api.ts';
import { Between } from './between.ts';
import { contract } from './contract.ts';
import type { Platform } from './platform.ts';

const chat = 7;
const no = (error_code: number, description: string, parameters = {}) =>
  Response.json({ ok: false, error_code, description, parameters }, { status: error_code });

/** Telegram: a fake Bot API, as strict as the real one. */
async function open(): Promise<Platform> {
  const bot = new BotApi();
  const between = new Between({
    upstream: bot.url,
    purpose: (_method, path) =>
      path.endsWith('/getUpdates') ? 'receive' : path.endsWith('/sendMessage') ? 'send' : 'other',
    brings: (body) => (JSON.parse(body) as { result?: unknown[] }).result?.length !== 0,
  });
  return {
    channel: 'telegram',
    chat: `${chat}`,
    person: `${chat}`,
    maxText: 4096,
    env: { TELEGRAM_TOKEN: bot.token },
    config: (channel) => ({
      channels: { telegram: channel },
      plugins: {
        telegram: {
          settings: { token: 'secret:TELEGRAM_TOKEN', api: between.url },
          grants: {
            egress: [`GET,POST ${between.url}/`],
            private_hosts: [between.host],
            secrets: { TELEGRAM_TOKEN: [`${between.url}/`] },
          },
        },
      },
    }),
    say: async (text) => `${chat}:${bot.say(text)}`,
    seen: () =>
      bot.messages
        .filter((message) => message.chat === chat)
        .map(({ id, text, edits, file }) => ({ id: `${id}`, text, edits, ...(file ? { file } : {}) })),
    between,
    refusals: {
      never: () => no(403, 'Forbidden: bot was blocked by the user'),
      later: () => no(429, 'Too Many Requests: retry after 1', { retry_after: 1 }),
      token: () => no(401, 'Unauthorized'),
    },
    streams: true,
    reactions: (message) =>
      bot
        .called('setMessageReaction')
        .filter((args) => `${chat}:${args['message_id']}` === message)
        .flatMap((args) => (args['reaction'] as { emoji: string }[]).map(({ emoji }) => emoji)),
    typed: () => bot.called('sendChatAction').length,
    files: {
      async send({ name, bytes }, caption) {
        bot.files.set(name, bytes);
        bot.say('', {
          text: undefined,
          caption,
          photo: [{ file_id: name, file_size: bytes.length, width: 1, height: 1 }],
        });
      },
    },
    webhook: {
      address: () => bot.webhook?.url,
      forged: async (url) =>
        (await fetch(url, { method: 'POST', headers: { 'x-telegram-bot-api-secret-token': 'wrong' }, body: '{}' }))
          .status,
    },
    async [Symbol.asyncDispose]() {
      await between[Symbol.asyncDispose]();
      await bot[Symbol.asyncDispose]();
    },
  };
}

contract('telegram', {}, open);
