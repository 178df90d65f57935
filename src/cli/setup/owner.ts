import * as v from 'valibot';
import { PxError } from '../../error/error.ts';
import type { Outcome, Setup } from './setup.ts';
import type { Bot } from './telegram.ts';

const step = 'owner' as const;
const lookMs = 400;
const Owners = v.object({ channels: v.object({ telegram: v.object({ owners: v.array(v.string()) }) }) });

type Pairing = Awaited<ReturnType<Setup['client']['pairings']>>[number];

/** Who px obeys on Telegram: who is named in px.yaml or paired already, else whoever shows the right code. `id`: the person's, there. */
export async function setUpOwner(setup: Setup, bot: Bot): Promise<{ outcome: Outcome; id?: string }> {
  const { answers, client, ask } = setup;
  if (answers.owner !== undefined) return nameOwner(setup, answers.owner);
  const [named] = await ownersOf(setup);
  const paired = (await client.pairings()).find(
    (one) => one.channel === 'telegram' && one.state === 'approved' && one.role === 'owner',
  );
  const id = named ?? paired?.sender;
  if (id !== undefined)
    return { id, outcome: { step, state: 'done', text: `px obeys ${paired?.name || id} on Telegram.` } };
  const hint = `Write anything to ${bot.name}, then: px pairing approve CODE, with the code it answers.`;
  const left: Outcome = { step, state: 'left', text: 'Nobody is paired on Telegram yet.', hint };
  if (!ask) return { outcome: left };
  const found = await waitForPerson(setup, bot);
  if (!found) return { outcome: left };
  const { sender, name } = await client.approvePairing(found.code, 'owner');
  return { id: sender, outcome: { step, state: 'done', text: `px obeys ${name || sender} on Telegram.`, fresh: true } };
}

async function ownersOf({ client }: Setup): Promise<string[]> {
  const read = v.safeParse(Owners, await client.config());
  return read.success ? read.output.channels.telegram.owners : [];
}

async function nameOwner(setup: Setup, id: string): Promise<{ outcome: Outcome; id: string }> {
  if (!/^\d{1,20}$/.test(id))
    throw new PxError('usage', `--owner takes your number on Telegram, not ${JSON.stringify(id)}.`, {
      hint: 'Without --owner, px asks you to write to the bot; `px pairing list` then shows the number.',
    });
  const owners = await ownersOf(setup);
  const fresh = !owners.includes(id);
  if (fresh) await setup.client.setConfig('channels.telegram.owners', [...owners, id]);
  return { id, outcome: { step, state: 'done', text: `px obeys ${id} on Telegram.`, ...(fresh ? { fresh } : {}) } };
}

/** The one who wrote to the bot and whom the person at this terminal knows to be themselves; undefined: later. */
async function waitForPerson(setup: Setup, bot: Bot): Promise<Pairing | undefined> {
  const { ask, client } = setup;
  setup.say(`Now write anything to ${bot.name} from your Telegram: ${bot.url}`);
  for (;;) {
    const found = await nextWriter(setup);
    if (!found || !ask) return undefined;
    // Anybody may find the bot: the code says that the one who wrote sees this screen.
    setup.say(`${found.name || found.sender} wrote, and was shown the code ${found.code} there.`);
    if (await ask.yes('Is that you, with the same code?', false)) return found;
    await client.revokePairing(found.channel, found.sender);
    setup.say(`${found.name || found.sender} is not let in.`);
  }
}

/** The latest who asks to be let in, waited for until the person types Enter. */
async function nextWriter({ ask, client, wait, say }: Setup): Promise<Pairing | undefined> {
  const over = new AbortController();
  let trouble = '';
  const look = async () => {
    while (!over.signal.aborted) {
      const [pairings, { channels }] = await Promise.all([client.pairings(), client.status()]);
      const waiting = pairings.filter((one) => one.channel === 'telegram' && one.state === 'pending');
      const latest = waiting.toSorted((a, b) => b.at - a.at)[0];
      if (latest) return latest;
      const telegram = channels.find((one) => one.id === 'telegram');
      const detail = telegram?.state === 'failing' ? telegram.detail : '';
      if (detail !== '' && detail !== trouble) say(detail);
      trouble = detail;
      await Bun.sleep(lookMs);
    }
    return undefined;
  };
  const later = ask?.line('Waiting for your message (Enter: later)', over.signal).then(() => undefined);
  try {
    return await wait(Promise.race([look(), later]));
  } finally {
    over.abort();
    // The next question must not begin before this one has let go of the terminal.
    await later?.catch(() => {});
  }
}
