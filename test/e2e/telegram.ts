import TelegramServer from 'telegram-test-api';

/** The Bot API of the npm package `telegram-test-api`, with the few things tests ask of it. */
export interface FakeTelegram extends AsyncDisposable {
  url: string;
  token: string;
  /** px.yaml for a channel that talks to it, answering user 1 without pairing when `open`. */
  config(options?: { open?: boolean }): { channels: object; plugins: object };
  /** A person writes to the bot. */
  say(text: string, from?: { userId: number; chatId: number; firstName?: string }): Promise<void>;
  /** Texts the bot sent so far, oldest first. */
  answers(): string[];
}

/** Starts a fake Bot API on a free port. */
export async function fakeTelegram(): Promise<FakeTelegram> {
  const probe = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
  const port = probe.port ?? 0;
  await probe.stop(true);
  const server = new TelegramServer({ port, host: '127.0.0.1', storage: 'RAM', storeTimeout: 3600 });
  await server.start();
  const token = '4711:TESTTOKEN';
  const host = `127.0.0.1:${port}`;
  return {
    url: `http://${host}`,
    token,
    config: ({ open = true } = {}) => ({
      channels: { telegram: open ? { access: 'allow-list', owners: ['1'] } : {} },
      plugins: {
        telegram: {
          settings: { token: 'secret:TELEGRAM_TOKEN', api: `http://${host}` },
          grants: {
            egress: [`GET,POST http://${host}/`],
            private_hosts: [host],
            secrets: { TELEGRAM_TOKEN: [`http://${host}/`] },
          },
        },
      },
    }),
    say: async (text, from = { userId: 1, chatId: 1 }) => {
      const client = server.getClient(token, { timeout: 5000, ...from });
      await client.sendMessage(client.makeMessage(text));
    },
    answers: () =>
      server.storage.botMessages
        .filter((m) => m.botToken === token && 'text' in m.message)
        .map((m) => String(Reflect.get(m.message, 'text'))),
    [Symbol.asyncDispose]: async () => {
      await server.stop();
    },
  };
}
