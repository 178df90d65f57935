import { resolveHome } from '../../config/config.ts';
import { type Backend, openBackend } from '../backend.ts';
import { broken } from '../io.ts';
import { terminalPrompt } from '../prompt.ts';
import type { Context } from '../verb.ts';
import { greet } from './greeting.ts';
import { setUpModel } from './model.ts';
import { setUpOwner } from './owner.ts';
import { installService, offerService } from './service.ts';
import { type Answers, interrupted, type Outcome, type Setup, show, stopSignal, unlessStopped } from './setup.ts';
import { setUpTelegram } from './telegram.ts';

type Tell = (outcome: Outcome) => void;

/**
 * Sets px up, step by step; what is done already is shown and not asked again. Throws PxError `usage` for what cannot be,
 * `interrupted` when the person stops: what is done is kept.
 */
export async function runSetup(context: Context, answers: Answers, asks: boolean): Promise<Outcome[]> {
  const { io, json, home } = context;
  const stop = stopSignal();
  const outcomes: Outcome[] = [];
  const tell: Tell = (outcome) => {
    outcomes.push(outcome);
    if (!json) show(io, outcome);
  };
  const heading = (text: string) => {
    if (asks) io.line(`\n${io.bold(text)}`);
  };
  const setup: Omit<Setup, 'client'> = {
    answers,
    ask: asks ? terminalPrompt((text) => io.note(text), interrupted, stop) : undefined,
    context,
    say: (text) => (json ? undefined : io.note(broken(`    ${text}`, io.columns, 4))),
    wait: (work) => unlessStopped(work, stop),
  };
  if (asks) io.line(`Setting up px in ${home.root}. Ctrl-C stops; \`px setup\` goes on from there.`);

  const first = await settle(setup, tell, heading);
  let { running } = first;
  if (first.install) {
    const outcome = await installService(setup, first.stored);
    tell(outcome);
    running = outcome.state === 'done';
    if (first.owner !== undefined) {
      // Through the px that was just started, which so shows that it reaches Telegram.
      await using backend = await open(context);
      tell(await greet({ ...setup, client: backend.client }, first.owner, running));
    }
  }
  if (asks) io.line(`\n${next(context, running)}`);
  return outcomes;
}

/** The steps that need px itself, and its goodbye unless a service is to say it. */
async function settle(given: Omit<Setup, 'client'>, tell: Tell, heading: (text: string) => void) {
  await using backend = await open(given.context);
  const setup: Setup = { ...given, client: backend.client };
  const fresh: Outcome[] = [];
  const done: Tell = (outcome) => {
    fresh.push(outcome);
    tell(outcome);
  };
  heading('Model');
  done(await setUpModel(setup));
  heading('Telegram');
  const { outcome, bot } = await setUpTelegram(setup);
  done(outcome);
  const owner = bot && (await setUpOwner(setup, bot));
  if (owner) done(owner.outcome);
  heading('Service');
  const service = await offerService(setup, backend.running);
  const install = service === 'install';
  if (!install) {
    done(service);
    // A script that runs again and again and changes nothing writes to nobody.
    if (owner?.id !== undefined && (setup.ask || fresh.some((one) => one.fresh)))
      tell(await greet(setup, owner.id, backend.running));
  }
  const stored = await backend.client.secretNames();
  return { owner: owner?.id, install, stored, running: backend.running };
}

/** The px of this home, or one opened here that also reaches Telegram. */
function open(context: Context): Promise<Backend> {
  return openBackend(context, {
    // What goes wrong each step tells; the log would say it once more.
    log: () => {},
    async prepare(app) {
      await app.models.detect();
      app.channels.start();
    },
  });
}

/** What a person types next. */
function next({ home, env }: Context, running: boolean): string {
  const px = home.root === resolveHome(env).root ? 'px' : `px --home ${home.root}`;
  return running ? `px runs. Say something: ${px} chat "what time is it?"` : `Start it: ${px} serve`;
}
