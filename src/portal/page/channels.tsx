/** @jsxImportSource hono/jsx */
import { PxError } from '../../error/error.ts';
import { Layout } from '../ui/layout.tsx';
import { plain } from '../ui/markdown.ts';
import { Button, Card, Choice, Empty, Form, State, Sure, Time } from '../ui/parts.tsx';
import type { Page, Visit } from '../visit.ts';
import { connect, disconnect, MessengerSetup, MessengerTabs, messengerOf } from './messenger.tsx';

/** Messengers: each from the token to the first message, who may talk to px, and every channel there is. */
async function show(visit: Visit) {
  const { client, status } = visit;
  const [pairings, config, inbox, outbox] = await Promise.all([
    client.pairings(),
    client.config(),
    client.inbox(),
    client.outbox(),
  ]);
  const messenger = messengerOf(visit);
  const pending = pairings.filter((one) => one.state === 'pending');
  const paired = pairings.filter((one) => one.state === 'approved');
  const [asking, elsewhere] = [true, false].map((is) => pending.filter((one) => (one.channel === messenger.id) === is));
  return (
    <Layout
      visit={visit}
      title="Channels"
      about="Where you talk to px besides this page. Nobody is answered before you let them in."
      script="/live.browser.js"
    >
      <MessengerTabs visit={visit} shown={messenger} />
      {
        await MessengerSetup({
          visit,
          messenger,
          pairings,
          asking: <Pending visit={visit} pairings={asking ?? []} />,
        })
      }
      <section class="card" id="people" data-live data-on="pairing message turn.end config plugin.changed">
        <h2>Who may talk to px</h2>
        <Pending visit={visit} pairings={elsewhere ?? []} />
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
      <section class="card" id="all" data-live>
        <h2>All channels</h2>
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
      </section>
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

/** An action after which the page is shown again, with the messenger it was about. */
const then =
  (work: (visit: Visit) => Promise<unknown>) =>
  async (visit: Visit): Promise<string> => {
    await work(visit);
    return visit.url.pathname + visit.url.search;
  };

export const pages: Page[] = [
  {
    path: '/channels',
    show,
    actions: {
      connect,
      off: disconnect,
      owner: then(({ client, form }) => client.approvePairing(form.text('code'), 'owner')),
      guest: then(({ client, form }) => client.approvePairing(form.text('code'), 'guest')),
      role: then(({ client, form }) => {
        const role = form.text('role') === 'owner' ? 'owner' : 'guest';
        return client.setRole(form.text('channel'), form.text('sender'), role);
      }),
      revoke: then(({ client, form }) => client.revokePairing(form.text('channel'), form.text('sender'))),
      channel: then(async ({ client, form }) => {
        const name = form.text('channel');
        if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new PxError('usage', 'There is no such channel.');
        await client.setConfig(`channels.${name}.access`, form.text(`access-${name}`));
        await client.setConfig(`channels.${name}.queue`, form.text(`queue-${name}`));
      }),
      answer: then(({ client, form }) => client.answerOld(form.text('id'))),
      drop: then(({ client, form }) => client.dropMessage(form.text('id'))),
      retry: then(({ client, form }) => client.retryPart(form.text('id'))),
      forget: then(({ client, form }) => client.dropPart(form.text('id'))),
    },
  },
];
