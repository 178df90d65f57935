import { hostname } from 'node:os';
import type { Outcome, Setup } from './setup.ts';

const step = 'greeting' as const;
const mostMs = 20_000;
const lookMs = 200;

/** Tells the person on Telegram that px is there, and waits until Telegram has taken it. */
export async function greet(
  { client, wait }: Pick<Setup, 'client' | 'wait'>,
  to: string,
  stays: boolean,
): Promise<Outcome> {
  const { model } = await client.status();
  const next = stays
    ? 'Just write to me: I answer here. /help lists what you can type.'
    : 'I answer here as soon as I run: `px serve` starts me, `px service install` keeps me running.';
  const ours = async () => (await client.outbox()).filter((part) => part.channel === 'telegram' && part.chat === to);
  const before = new Set((await ours()).map((part) => part.id));
  await client.sendText('telegram', to, `px is set up on ${hostname()}, and ${model.ref} answers.\n\n${next}`);
  const end = Date.now() + mostMs;
  for (;;) {
    const part = (await ours()).findLast((one) => !before.has(one.id));
    if (!part) return { step, state: 'done', text: 'A message from px is in your Telegram.', fresh: true };
    if (part.state === 'failed' || part.state === 'unknown') {
      // Kept as a dead letter it would only be told again.
      await client.dropPart(String(part.id));
      const hint = 'A bot cannot write first: write something to it, then try px setup again.';
      return { step, state: 'failed', text: `Telegram did not take the message: ${part.error}.`, hint };
    }
    if (Date.now() > end)
      return { step, state: 'left', text: `The message to your Telegram is still on its way. ${part.error}`.trim() };
    await wait(Bun.sleep(lookMs));
  }
}
