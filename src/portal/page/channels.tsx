/** @jsxImportSource hono/jsx */
import type { Child } from 'hono/jsx';
import { prepareTelegram, telegramApi, telegramSecret, telegramServer } from '../../client/client.ts';
import { PxError } from '../../error/error.ts';
import { Layout } from '../ui/layout.tsx';
import { plain } from '../ui/markdown.ts';
import { Button, Card, Choice, Empty, Field, Form, State, Sure, Time } from '../ui/parts.tsx';
import type { Page, Visit } from '../visit.ts';
import { readHref } from './address.ts';

/** Messengers: Telegram from the token to the first message, who may talk to px, and every channel there is. */
async function show(visit: Visit) {
  const { client, status } = visit;
  const [pairings, names, config, conversations, inbox, outbox] = await Promise.all([
    client.pairings(),
    client.secretNames(),
    client.config(),
    client.conversations(),
    client.inbox(),
    client.outbox(),
  ]);
  const pending = pairings.filter((one) => one.state === 'pending');
  const paired = pairings.filter((one) => one.state === 'approved');
  const telegram = status.channels.find((one) => one.id === 'telegram');
  const talk = conversations.find((one) => one.conversation.startsWith('telegram/'));
  const api = telegramServer(config);
  const known = names.includes(telegramSecret);
  const on = telegram !== undefined && telegram.state !== 'off';
  return (
    <Layout
      visit={visit}
      title="Channels"
      about="Where you talk to px besides this page. Nobody is answered before you let them in."
      script="/live.browser.js"
    >
      <section class="card" aria-labelledby="telegram">
        <div class="head">
          <h2 id="telegram">Telegram</h2>
          <span id="telegram-state" data-live>
            {telegram && <State state={telegram.state} />}
          </span>
        </div>
        <ol class="steps">
          <Step done={known} title="Make a bot and paste its token">
            <p class="soft">
              In Telegram, write <code>/newbot</code> to{' '}
              <a href="https://t.me/BotFather" target="_blank" rel="noopener noreferrer">
                @BotFather
              </a>
              , choose a name, and copy the token it gives you.
            </p>
            <Form visit={visit} class="stack" label="Connect Telegram">
              <Field
                name="token"
                label="Token"
                type="password"
                placeholder={known ? 'kept, encrypted' : '123456789:AAE…'}
                help="Stored encrypted; px never shows it again, and no plugin ever sees it."
              />
              <details open={api !== telegramApi || visit.form.has('api')}>
                <summary class="soft small">Another Bot API server</summary>
                <Field
                  name="api"
                  label="Address"
                  value={visit.form.has('api') ? visit.form.text('api') : api}
                  mono
                  help="Leave it as it is unless you run your own."
                />
              </details>
              <div>
                <Button do="connect" kind="main">
                  {on ? 'Save and connect again' : 'Connect'}
                </Button>
              </div>
            </Form>
          </Step>
          <Step
            done={telegram?.state === 'running'}
            title="px reaches Telegram"
            id="reach"
            poll={on && telegram.state !== 'running'}
          >
            <p class={telegram?.state === 'failing' ? 'notice bad' : 'soft'}>
              {!on
                ? 'Not connected yet.'
                : telegram.state === 'running'
                  ? 'Connected: the token is right.'
                  : plain(telegram.detail) || 'Trying…'}
            </p>
          </Step>
          <Step
            done={paired.some((one) => one.channel === 'telegram')}
            title="Write to your bot, and let yourself in"
            id="pair"
          >
            {pending.length === 0 && (
              <p class="soft">Send the bot any message. It answers with a code, and the same code appears here.</p>
            )}
            <Pending visit={visit} pairings={pending} />
          </Step>
          <Step done={talk !== undefined} title="The first message" id="talk">
            {talk ? (
              <p>
                <a href={readHref(talk.conversation)}>Read {talk.conversation}</a>
              </p>
            ) : (
              <p class="soft">Say “what time is it?” to your bot. The conversation appears here.</p>
            )}
          </Step>
        </ol>
        {on && (
          <Form visit={visit}>
            <Button do="off">Disconnect Telegram</Button>
          </Form>
        )}
      </section>
      <section class="card" id="people" data-live data-on="pairing message turn.end config plugin.changed">
        <h2>Who may talk to px</h2>
        {paired.length === 0 && <p class="soft">Nobody but you, here.</p>}
        {paired.length > 0 && (
          <p class="help">
            You may do everything, and your word counts when px asks. A guest is answered, with the tools that{' '}
            <a href="/settings/policy">Settings</a> give guests.
          </p>
        )}
        <ul class="rows">
          {paired.map((one) => (
            <li>
              <span class="grow">
                <strong>{plain(one.name)}</strong> <span class="tag">{one.role === 'owner' ? 'you' : 'guest'}</span>{' '}
                <span class="soft small">
                  {one.channel} {plain(one.sender)}, since <Time at={one.at} />
                </span>
              </span>
              <Form visit={visit} label={`Role of ${plain(one.name)}`}>
                <input type="hidden" name="channel" value={one.channel} />
                <input type="hidden" name="sender" value={one.sender} />
                <input type="hidden" name="role" value={one.role === 'owner' ? 'guest' : 'owner'} />
                <Button do="role">{one.role === 'owner' ? 'Make a guest' : 'It is me'}</Button>
              </Form>
              <Sure
                visit={visit}
                do="revoke"
                ask={`${plain(one.name)} is not answered any more, until you let them in again.`}
                yes="Revoke"
                name={`Revoke ${plain(one.name)}`}
              >
                <input type="hidden" name="channel" value={one.channel} />
                <input type="hidden" name="sender" value={one.sender} />
              </Sure>
            </li>
          ))}
        </ul>
      </section>
      <Card title="All channels">
        {status.channels.length === 0 && <Empty>None yet.</Empty>}
        {status.channels.map((one) => {
          const entry = record(record(config['channels'])[one.id]);
          return (
            <details class="channel">
              <summary class="row">
                <strong>{one.id}</strong>
                <State state={one.state} />
                <span class="soft small">{plain(one.detail)}</span>
              </summary>
              <Form visit={visit} class="stack" label={`Settings of ${one.id}`}>
                <input type="hidden" name="channel" value={one.id} />
                <Choice
                  name={`access-${one.id}`}
                  label="Who is answered"
                  value={String(entry['access'] ?? 'pairing')}
                  options={[
                    ['pairing', 'people you let in'],
                    ['allow-list', 'only those listed in Settings'],
                    ['open', 'anybody who finds the bot'],
                  ]}
                />
                <Choice
                  name={`queue-${one.id}`}
                  label="A message that comes during an answer"
                  value={String(entry['queue'] ?? 'followup')}
                  options={[
                    ['followup', 'is answered after it'],
                    ['steer', 'is taken into it'],
                    ['collect', 'is answered with all others that came'],
                    ['interrupt', 'stops it'],
                  ]}
                />
                <div class="row">
                  <Button do="channel" kind="main">
                    Save
                  </Button>
                  <a href="/settings/channels">Everything else</a>
                </div>
              </Form>
            </details>
          );
        })}
      </Card>
      {(inbox.length > 0 || outbox.length > 0) && (
        <Card title="On their way">
          <ul class="rows">
            {inbox.map((one) => (
              <li>
                <span class="grow">
                  <span class={one.state === 'old' ? 'tag warn' : 'tag'}>
                    {one.state === 'old' ? 'came late' : 'in hand'}
                  </span>{' '}
                  {plain(one.name)} in {one.channel}: {plain(one.text.slice(0, 200))}
                </span>
                <Form visit={visit} class="row" label={`Message ${one.seq}`}>
                  <input type="hidden" name="id" value={String(one.seq)} />
                  {one.state === 'old' && <Button do="answer">Answer it</Button>}
                  <Button do="drop" kind="danger">
                    Drop
                  </Button>
                </Form>
              </li>
            ))}
            {outbox.map((one) => (
              <li>
                <span class="grow">
                  <State state={one.state} /> to {one.channel}/{plain(one.chat)}: {plain(one.text.slice(0, 200))}
                  {one.error !== '' && <span class="soft small"> {plain(one.error)}</span>}
                </span>
                <Form visit={visit} class="row" label={`Text ${one.id}`}>
                  <input type="hidden" name="id" value={String(one.id)} />
                  {(one.state === 'failed' || one.state === 'unknown') && (
                    <>
                      <Button do="retry">Send again</Button>
                      <Button do="forget" kind="danger">
                        Forget
                      </Button>
                    </>
                  )}
                </Form>
              </li>
            ))}
          </ul>
        </Card>
      )}
    </Layout>
  );
}

/** A step of setting up; ticked when it is done. */
function Step(props: { done: boolean; title: string; id?: string; poll?: boolean; children?: Child }) {
  return (
    <li
      data-poll={props.poll ? '' : undefined}
      id={props.id}
      class={props.done ? 'done' : undefined}
      data-live={props.id ? '' : undefined}
    >
      <h3>
        {props.title}
        {props.done && <span class="hidden"> (done)</span>}
      </h3>
      {props.children}
    </li>
  );
}

function Pending({ visit, pairings }: { visit: Visit; pairings: Awaited<ReturnType<Visit['client']['pairings']>> }) {
  return (
    <ul class="rows">
      {pairings.map((one) => (
        <li>
          <span class="grow">
            <strong>{plain(one.name)}</strong> on {one.channel} asks to be let in, with code <code>{one.code}</code>
          </span>
          <Form visit={visit} class="row" label={`Let ${plain(one.name)} in`}>
            <input type="hidden" name="code" value={one.code} />
            <input type="hidden" name="channel" value={one.channel} />
            <input type="hidden" name="sender" value={one.sender} />
            <Button do="owner" kind="main">
              Let in, it is me
            </Button>
            <Button do="guest">Let in as a guest</Button>
            <Button do="revoke">No</Button>
          </Form>
        </li>
      ))}
    </ul>
  );
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

async function connect({ client, form }: Visit): Promise<string> {
  await prepareTelegram(client, { token: form.text('token'), api: form.text('api') });
  await client.setConfig('channels.telegram.enabled', true);
  return '/channels';
}

export const pages: Page[] = [
  {
    path: '/channels',
    show,
    actions: {
      connect,
      async off({ client }) {
        await client.setConfig('channels.telegram.enabled', false);
        return '/channels';
      },
      async owner({ client, form }) {
        await client.approvePairing(form.text('code'), 'owner');
        return '/channels';
      },
      async guest({ client, form }) {
        await client.approvePairing(form.text('code'), 'guest');
        return '/channels';
      },
      async role({ client, form }) {
        const role = form.text('role') === 'owner' ? 'owner' : 'guest';
        await client.setRole(form.text('channel'), form.text('sender'), role);
        return '/channels';
      },
      async revoke({ client, form }) {
        await client.revokePairing(form.text('channel'), form.text('sender'));
        return '/channels';
      },
      async channel({ client, form }) {
        const name = form.text('channel');
        if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new PxError('usage', 'There is no such channel.');
        await client.setConfig(`channels.${name}.access`, form.text(`access-${name}`));
        await client.setConfig(`channels.${name}.queue`, form.text(`queue-${name}`));
        return '/channels';
      },
      async answer({ client, form }) {
        await client.answerOld(form.text('id'));
        return '/channels';
      },
      async drop({ client, form }) {
        await client.dropMessage(form.text('id'));
        return '/channels';
      },
      async retry({ client, form }) {
        await client.retryPart(form.text('id'));
        return '/channels';
      },
      async forget({ client, form }) {
        await client.dropPart(form.text('id'));
        return '/channels';
      },
    },
  },
];
