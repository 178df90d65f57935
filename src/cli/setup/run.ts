import { resolveHome } from '../../config/config.ts';
import { openBackend } from '../backend.ts';
import type { Context } from '../verb.ts';
import { greet } from './greeting.ts';
import { setUpModel } from './model.ts';
import { setUpOwner } from './owner.ts';
import { terminalPrompt } from './prompt.ts';
import { type Answers, type Outcome, type Setup, show, stopSignal, unlessStopped } from './setup.ts';
import { setUpTelegram } from './telegram.ts';

/**
 * Sets px up, step by step; what is done already is shown and not asked again. Throws PxError `usage` for what cannot be,
 * `interrupted` when the person stops: what is done is kept.
 */
export async function runSetup(context: Context, answers: Answers, asks: boolean): Promise<Outcome[]> {
  const { io, json, home } = context;
  const stop = stopSignal();
  const outcomes: Outcome[] = [];
  const done = (outcome: Outcome) => {
    outcomes.push(outcome);
    if (!json) show(io, outcome);
    return outcome;
  };
  if (asks) io.line(`Setting up px in ${home.root}. Ctrl-C stops; \`px setup\` goes on from there.`);
  // What goes wrong is seen here by what each step is told; the log would say it once more.
  const log = () => {};
  await using backend = await openBackend(context, {
    log,
    prepare: async (app) => {
      await app.models.detect();
      app.channels.start();
    },
  });
  const setup: Setup = {
    client: backend.client,
    answers,
    ask: asks ? terminalPrompt((text) => io.note(text)) : undefined,
    context,
    say: (text) => (json ? undefined : io.note(`    ${text}`)),
    wait: (work) => unlessStopped(work, stop),
  };
  const heading = (text: string) => {
    if (asks) io.line(`\n${io.bold(text)}`);
  };
  heading('Model');
  done(await setUpModel(setup));
  heading('Telegram');
  await setUpChat(setup, backend.running, done);
  if (asks) io.line(`\n${next(context, backend.running)}`);
  return outcomes;
}

async function setUpChat(setup: Setup, running: boolean, done: (outcome: Outcome) => Outcome): Promise<void> {
  const { outcome, bot } = await setUpTelegram(setup);
  const fresh = [done(outcome)];
  if (!bot) return;
  const owner = await setUpOwner(setup, bot);
  fresh.push(done(owner.outcome));
  // A script that runs again and again and changes nothing writes to nobody.
  if (owner.id !== undefined && (setup.ask || fresh.some((one) => one.fresh)))
    done(await greet(setup, owner.id, running));
}

/** What a person types next. */
function next({ home, env }: Context, running: boolean): string {
  const px = home.root === resolveHome(env).root ? 'px' : `px --home ${home.root}`;
  return running ? `px runs. Say something: ${px} chat "what time is it?"` : `Start it: ${px} serve`;
}
