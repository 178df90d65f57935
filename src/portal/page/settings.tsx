/** @jsxImportSource hono/jsx */
import { PxError } from '../../error/error.ts';
import { Layout } from '../ui/layout.tsx';
import { Button, Card, Fact, Field, Form, Notice } from '../ui/parts.tsx';
import type { Page, Visit } from '../visit.ts';
import { Fields } from './settings-fields.tsx';
import { changesOf, type Place, placesOf, sectionsOf } from './settings-form.ts';

/** The sections of px.yaml, with a word about each. */
async function index(visit: Visit) {
  const sections = sectionsOf(await visit.client.configSchema());
  return (
    <Layout
      visit={visit}
      title="Settings"
      about="Everything px.yaml says, key by key with what it does. A change counts as soon as it is saved."
    >
      <ul class="list">
        {sections.map(({ name, description }) => (
          <li>
            <a href={`/settings/${name}`}>
              <strong>{name}</strong>
              <span></span>
              <span class="snippet">{description}</span>
            </a>
          </li>
        ))}
        <li>
          <a href="/settings/file">
            <strong>px.yaml</strong>
            <span></span>
            <span class="snippet">The file itself, as text, checked before it is saved.</span>
          </a>
        </li>
      </ul>
      <Card title="Keyboard" id="keyboard">
        <dl>
          {keys.map(([key, what]) => (
            <Fact name={key}>{what}</Fact>
          ))}
        </dl>
      </Card>
      <Form visit={visit}>
        <Button do="sign-out">Sign this browser out</Button>
      </Form>
    </Layout>
  );
}

/** As in browser/portal.browser.js and chat.browser.js. */
const keys: [string, string][] = [
  ['g c', 'Chat'],
  ['g l', 'Conversations'],
  ['g m', 'Memory'],
  ['g j', 'Schedule'],
  ['g h', 'Channels'],
  ['g o', 'Models'],
  ['g p', 'Plugins'],
  ['g s', 'Settings'],
  ['g a', 'Approvals'],
  ['g u', 'Audit'],
  ['g t', 'Status'],
  ['g d', 'Docs'],
  ['?', 'these keys'],
  ['/', 'search, or write'],
  ['Enter', 'send; with Shift a new line'],
  ['Esc', 'stop the answer, close what is open'],
];

async function placesFor(visit: Visit): Promise<{ description: string; places: Place[] }> {
  const name = visit.params['section'] ?? '';
  const [schema, config] = await Promise.all([visit.client.configSchema(), visit.client.config()]);
  const section = sectionsOf(schema).find((one) => one.name === name);
  if (!section) throw new PxError('not-found', 'There is no such section.', { hint: 'Settings lists them.' });
  return { description: section.description, places: placesOf(section.schema, config[name], [name]) };
}

/** One section as a form. */
async function section(visit: Visit) {
  const name = visit.params['section'] ?? '';
  const { description, places } = await placesFor(visit);
  return (
    <Layout visit={visit} title={name} about={description} up={{ href: '/settings', name: 'Settings' }}>
      {visit.url.searchParams.has('saved') && visit.problem === undefined && (
        <Notice kind="good">Saved. It counts from now on.</Notice>
      )}
      <Form visit={visit} action={`/settings/${name}`} class="stack">
        <Fields places={places} form={visit.form} />
        <div class="row sticky">
          <Button do="save" kind="main">
            Save
          </Button>
          <a class="button" href={`/settings/${name}`}>
            Start over
          </a>
          <a class="right small" href="/settings/file">
            Edit px.yaml as text
          </a>
        </div>
      </Form>
    </Layout>
  );
}

/** px.yaml as text. */
async function file(visit: Visit) {
  const { text, path } = await visit.client.configFile();
  const given = visit.form.has('text') ? visit.form.text('text') : text;
  return (
    <Layout
      visit={visit}
      title="px.yaml"
      about={`${path}. What is not valid is not saved, and px says where the mistake is.`}
      up={{ href: '/settings', name: 'Settings' }}
    >
      {visit.url.searchParams.has('saved') && visit.problem === undefined && (
        <Notice kind="good">Saved. It counts from now on.</Notice>
      )}
      <Form visit={visit} action="/settings/file" class="stack">
        <input type="hidden" name="was" value={visit.form.has('was') ? visit.form.text('was') : text} />
        <Field
          name="text"
          label="Text"
          value={given}
          rows={Math.min(40, Math.max(16, given.split('\n').length + 1))}
          mono
          help={
            <>
              Secrets do not belong here: <code>secret:NAME</code> refers to one that is kept encrypted. Every key is
              explained in <a href="/docs/reference/config">the reference</a>.
            </>
          }
        />
        <div class="row">
          <Button do="save" kind="main">
            Check and save
          </Button>
          <a class="button" href="/settings/file">
            Start over
          </a>
        </div>
      </Form>
    </Layout>
  );
}

export const pages: Page[] = [
  {
    path: '/settings',
    show: index,
    actions: {
      'sign-out': async ({ signOut }) =>
        new Response(null, { status: 303, headers: { location: '/', 'set-cookie': signOut } }),
    },
  },
  {
    path: '/settings/file',
    show: file,
    actions: {
      async save({ client, form }) {
        await client.writeConfigFile(form.text('text'), form.text('was'));
        return '/settings/file?saved';
      },
    },
  },
  {
    path: '/settings/:section',
    show: section,
    actions: {
      async save(visit) {
        const { places } = await placesFor(visit);
        for (const [key, value] of changesOf(places, visit.form))
          await (value === undefined ? visit.client.unsetConfig(key) : visit.client.setConfig(key, value));
        return `/settings/${visit.params['section']}?saved`;
      },
    },
  },
];
