/** @jsxImportSource hono/jsx */
import type { Child } from 'hono/jsx';
import { askAccount, type Messenger, messengerServer, messengers, prepareMessenger } from '../../client/client.ts';
import { plain } from '../ui/markdown.ts';
import { Button, Field, Form, State } from '../ui/parts.tsx';
import type { Visit } from '../visit.ts';
import { readHref } from './address.ts';

type Pairings = Awaited<ReturnType<Visit['client']['pairings']>>;

/** What a messenger's own words are, where the steps differ. */
interface Words {
  /** How one gets a token, thing by thing. */
  title: string;
  token: Child[];
  /** Its server: a question of its own where nearly everybody has another one. */
  server: { label: string; help: string; ask?: boolean };
  /** How one gets to write to it. `who`: its name there, and a link. */
  write(who: Child): Child;
}

const Out = ({ to, children }: { to: string; children?: Child }) => (
  <a href={to} target="_blank" rel="noopener noreferrer">
    {children}
  </a>
);

const words: Record<Messenger['id'], Words> = {
  telegram: {
    title: 'Make a bot and paste its token',
    token: [
      <>
        In Telegram, write <code>/newbot</code> to <Out to="https://t.me/BotFather">@BotFather</Out>, and choose a name.
      </>,
      'Copy the token it gives you.',
    ],
    server: { label: 'Bot API server', help: 'Leave it as it is unless you run your own.' },
    write: (who) => <>Send {who} any message. It answers with a code, and the same code appears here.</>,
  },
  matrix: {
    title: 'Make an account for px and paste its access token',
    token: [
      'On your homeserver, make an account of its own for px, as for a person.',
      <>
        Sign in as it in <Out to="https://app.element.io">Element</Out>, and copy the token that stands in All settings,
        Help &amp; About, Access token.
      </>,
      'Close that window, and do not sign out: that would end the token, too.',
    ],
    server: {
      label: 'Homeserver',
      help: 'Its address for apps. Leave it as it is for an account on matrix.org.',
      ask: true,
    },
    write: (who) => (
      <>
        Make a private room <strong>without end-to-end encryption</strong>, invite {who}, and write something there. It
        answers with a code, and the same code appears here. A direct chat does not do: Element encrypts it.
      </>
    ),
  },
  discord: {
    title: 'Make a bot and paste its token',
    token: [
      <>
        At <Out to="https://discord.com/developers/applications">discord.com/developers</Out>: New Application, then
        Bot, Reset Token, and copy it.
      </>,
      <>
        Under Installation, choose Guild Install with the scope <code>bot</code> and the permissions View Channels, Send
        Messages, Send Messages in Threads, Read Message History, Attach Files and Add Reactions.
      </>,
      'Open the link that is shown there, to bring the bot to a server of yours.',
    ],
    server: { label: 'API server', help: 'Leave it as it is: there is no other, but for tests.' },
    write: (who) => (
      <>
        Write to {who} in private, which Discord allows once you share a server. It answers with a code, and the same
        code appears here.
      </>
    ),
  },
};

/** The messenger an address of the page is about: the named one, or the first that is on, or Telegram. */
export function messengerOf({ url, status }: Visit): Messenger {
  const all: Messenger[] = Object.values(messengers);
  const named = all.find(({ id }) => id === url.searchParams.get('with'));
  const isOn = ({ id }: Messenger) => status.channels.some((one) => one.id === id && one.state !== 'off');
  return named ?? all.find(isOn) ?? messengers.telegram;
}

/** Where a messenger is set up. */
const messengerHref = ({ id }: Messenger): string => `/channels?with=${id}`;

/** Which messengers there are; the one that is shown is marked. */
export function MessengerTabs({ visit, shown }: { visit: Visit; shown: Messenger }) {
  return (
    <nav class="tabs" aria-label="Messengers" id="messengers" data-live>
      {Object.values(messengers).map((one) => {
        const state = visit.status.channels.find(({ id }) => id === one.id)?.state;
        return (
          <a href={messengerHref(one)} aria-current={one.id === shown.id ? 'page' : undefined}>
            {one.label}
            {(state === 'running' || state === 'failing') && (
              <>
                {' '}
                <span class={`dot ${state}`} />
                <span class="hidden">({state})</span>
              </>
            )}
          </a>
        );
      })}
    </nav>
  );
}

/** A messenger from the token to the first message. */
export async function MessengerSetup(props: { visit: Visit; messenger: Messenger; pairings: Pairings; asking: Child }) {
  const { visit, messenger, asking } = props;
  const { id, label, secret } = messenger;
  const { client, status, form } = visit;
  const [names, config, conversations] = await Promise.all([
    client.secretNames(),
    client.config(),
    client.conversations(),
  ]);
  const server = messengerServer(config, messenger);
  const channel = status.channels.find((one) => one.id === id);
  const talk = conversations.find((one) => one.conversation.startsWith(`${id}/`));
  const known = names.includes(secret);
  const on = channel !== undefined && channel.state !== 'off';
  const running = channel?.state === 'running';
  const mine = props.pairings.filter((one) => one.channel === id);
  const paired = mine.some((one) => one.state === 'approved');
  const say = words[id];
  // Only while it is needed: this asks the platform.
  const who = running && mine.length === 0 ? await account(visit, id) : undefined;
  const field = (
    <Field
      name="server"
      label={say.server.label}
      value={form.has('server') ? form.text('server') : server}
      mono
      help={say.server.help}
    />
  );
  return (
    <section class="card" aria-labelledby={id}>
      <div class="head">
        <h2 id={id}>{label}</h2>
        <span id="messenger-state" data-live>
          {channel && <State state={channel.state} />}
        </span>
      </div>
      <ol class="steps">
        <Step done={known} title={say.title}>
          <ul class="plain soft">
            {say.token.map((one) => (
              <li>{one}</li>
            ))}
          </ul>
          <Form visit={visit} class="stack" label={`Connect ${label}`}>
            {say.server.ask && field}
            <Field
              name="token"
              label="Token"
              type="password"
              placeholder={known ? 'kept, encrypted' : (messenger.token.looks.split(',')[0] ?? '')}
              help="Stored encrypted; px never shows it again, and no plugin ever sees it."
            />
            {!say.server.ask && (
              <details open={server !== messenger.server.url || form.has('server')}>
                <summary class="soft small">Another server</summary>
                {field}
              </details>
            )}
            <div>
              <Button do="connect" kind="main">
                {on ? 'Save and connect again' : 'Connect'}
              </Button>
            </div>
          </Form>
        </Step>
        <Step done={running} title={`px reaches ${label}`} id="reach" poll={on && !running}>
          <p class={channel?.state === 'failing' ? 'notice bad' : 'soft'}>
            {!on
              ? 'Not connected yet.'
              : running
                ? 'Connected: the token is right.'
                : plain(channel.detail) || 'Trying…'}
          </p>
        </Step>
        <Step done={paired} title="Write to it, and let yourself in" id="pair">
          {!mine.some((one) => one.state === 'pending') && (
            <p class="soft">{say.write(who ? <Out to={who.url}>{plain(who.name)}</Out> : 'it')}</p>
          )}
          {asking}
        </Step>
        <Step done={talk !== undefined} title="The first message" id="talk">
          {talk ? (
            <p>
              <a href={readHref(talk.conversation)}>Read {talk.conversation}</a>
            </p>
          ) : (
            <p class="soft">Say “what time is it?” to it. The conversation appears here.</p>
          )}
        </Step>
      </ol>
      {on && (
        <Form visit={visit}>
          <Button do="off">Disconnect {label}</Button>
        </Form>
      )}
    </section>
  );
}

/** Who px is there, as the platform says now; undefined when it does not answer soon, or with no link a browser may follow. */
async function account({ client }: Visit, id: string): Promise<{ name: string; url: string } | undefined> {
  const late = Bun.sleep(1500).then(() => undefined);
  const said = await Promise.race([askAccount(client, id).catch(() => undefined), late]);
  return said && /^https:\/\//.test(said.url) ? said : undefined;
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

/** Takes a token, asks the platform with it who px is, and switches the channel on. A token the platform refuses is not kept. */
export async function connect(visit: Visit): Promise<string> {
  const { client, form } = visit;
  const messenger = messengerOf(visit);
  const token = form.text('token');
  await prepareMessenger(client, messenger, { token, server: form.text('server') });
  try {
    await askAccount(client, messenger.id);
  } catch (thrown) {
    if (token.trim() !== '') await client.removeSecret(messenger.secret);
    throw thrown;
  }
  await client.setConfig(`channels.${messenger.id}.enabled`, true);
  return messengerHref(messenger);
}

/** Switches a messenger off; its token stays. */
export async function disconnect(visit: Visit): Promise<string> {
  const messenger = messengerOf(visit);
  await visit.client.setConfig(`channels.${messenger.id}.enabled`, false);
  return messengerHref(messenger);
}
