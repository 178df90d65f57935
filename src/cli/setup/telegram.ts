import { askAccount, messengerServer, messengers, prepareMessenger } from '../../client/client.ts';
import { PxError } from '../../error/error.ts';
import { kept, type Outcome, type Setup, sentence } from './setup.ts';

const step = 'telegram' as const;
const { telegram } = messengers;
/** The bot, as Telegram says. */
export interface Bot {
  name: string;
  url: string;
}

/** The bot: the token that is there already when it is right, else one the person gives. Tested by asking Telegram who it is. */
export async function setUpTelegram(setup: Setup): Promise<{ outcome: Outcome; bot?: Bot }> {
  const { answers, ask, client } = setup;
  if (!answers.telegram) return { outcome: { step, state: 'skipped', text: 'No Telegram.' } };
  let token = answers.telegramToken;
  if (token === undefined && (await kept(setup, telegram.secret))) {
    const standing = await tryToken(setup, '');
    if (standing.bot || !ask) return standing;
    setup.say(standing.outcome.text);
  }
  if (token === undefined && !ask) {
    const hint = 'px setup --telegram-token-file FILE';
    return { outcome: { step, state: 'left', text: 'No Telegram bot is connected.', hint } };
  }
  if (token === undefined) setup.say('Write /newbot to @BotFather (https://t.me/BotFather): it gives you a token.');
  for (;;) {
    token ??= await ask?.hidden('Token of your bot', 'no Telegram');
    if (token === undefined || token === '')
      return { outcome: { step, state: 'skipped', text: 'No Telegram. `px setup` asks again.' } };
    const tried = await tryToken(setup, token);
    if (tried.bot) return { ...tried, outcome: { ...tried.outcome, fresh: true } };
    await client.removeSecret(telegram.secret);
    if (!ask) return tried;
    setup.say(tried.outcome.text);
    token = undefined;
  }
}

/** Connects the bot of a token; an empty one is the token that is kept. */
async function tryToken(setup: Setup, given: string): Promise<{ outcome: Outcome; bot?: Bot }> {
  const { answers, client, context, wait } = setup;
  try {
    const config = await client.config();
    const server = answers.telegramServer ?? messengerServer(config, telegram);
    // A service does not see this terminal's environment.
    const stored = (await kept(setup, telegram.secret)) === 'stored';
    const token = given === '' && !stored ? (context.env.get(telegram.secret) ?? '') : given;
    setup.say('Asking Telegram who the bot is…');
    await wait(prepareMessenger(client, telegram, { token, server }));
    const bot = await wait(askAccount(client, 'telegram'));
    await client.setConfig('channels.telegram.enabled', true);
    return { bot, outcome: { step, state: 'done', text: `Telegram: px is ${bot.name}, ${bot.url}` } };
  } catch (thrown) {
    if (thrown instanceof PxError && thrown.code === 'interrupted') throw thrown;
    return { outcome: { step, state: 'failed', text: sentence(thrown) } };
  }
}
