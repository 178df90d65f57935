/** @jsxImportSource hono/jsx */
import type { Client } from '../../client/client.ts';
import { PxError } from '../../error/error.ts';
import { Bars } from '../ui/chart.tsx';
import { Layout } from '../ui/layout.tsx';
import { plain } from '../ui/markdown.ts';
import { Button, Card, Field, Form, Notice, Words } from '../ui/parts.tsx';
import type { Page, Shown, Visit } from '../visit.ts';

type Test = Awaited<ReturnType<Client['testModel']>>;

async function show(visit: Visit, test?: Test) {
  const { client, form, status } = visit;
  const month = new Date().toISOString().slice(0, 7);
  const since = new Date(Date.now() - 29 * 86_400_000).toISOString().slice(0, 10);
  const [{ models, default: now }, providers, names, config, days, byModel] = await Promise.all([
    client.models(),
    client.providers(),
    client.secretNames(),
    client.config(),
    client.usage({ by: 'day', since }),
    client.usage({ by: 'model', since: month }),
  ]);
  const model = record(config['model']);
  const chosen = typeof model['default'] === 'string' ? model['default'] : 'auto';
  const fallbacks = Array.isArray(model['fallbacks']) ? model['fallbacks'].map(String) : [];
  return (
    <Layout visit={visit} title="Models" about="Who answers, with which key, and what it costs.">
      {test && <Tested test={test} />}
      <Card title="Who answers">
        <p>
          <strong>{now.ref}</strong>{' '}
          <span class="soft">
            (<Words text={now.why} />)
          </span>
        </p>
        <Form visit={visit} class="stack">
          <div class="row end">
            <Field
              name="model"
              label="Model"
              value={form.has('model') ? form.text('model') : chosen}
              list="models"
              mono
              required
              help="provider/model, an alias, or auto: the first provider with a key, then Ollama, then the offline model."
            />
          </div>
          <datalist id="models">
            <option value="auto" />
            {models.map((one) => (
              <option value={one.ref} />
            ))}
          </datalist>
          <Field
            name="fallbacks"
            label="When it fails"
            value={form.has('fallbacks') ? form.text('fallbacks') : fallbacks.join('\n')}
            rows={2}
            mono
            help="Models that answer instead, in this order, one a line."
          />
          <div class="row">
            <Button do="switch" kind="main">
              Save
            </Button>
            <Button do="test">Test this model</Button>
            <span class="help">A test makes a real call, which costs a fraction of a cent.</span>
          </div>
        </Form>
      </Card>
      <Card title="Keys">
        <ul class="rows">
          {providers.filter(withKey).map(({ name, label: title, secret, keyUrl: where, key }) => {
            const kept = names.includes(secret);
            return (
              <li>
                <Form visit={visit} class="field grow" label={`Key of ${title}`}>
                  <input type="hidden" name="secret" value={secret} />
                  <label for={`key-${name}`}>{title}</label>
                  <div class="row">
                    <input
                      id={`key-${name}`}
                      name="key"
                      type="password"
                      autocomplete="off"
                      placeholder={kept ? 'kept, encrypted' : key !== '' ? 'from the environment' : 'no key yet'}
                      aria-describedby={`where-${name}`}
                    />
                    <Button do="key">{kept ? 'Replace' : 'Keep it'}</Button>
                    {kept && (
                      <Button do="forget" kind="danger" label={`Forget the key of ${title}`}>
                        Forget
                      </Button>
                    )}
                  </div>
                  <p class="help" id={`where-${name}`}>
                    From{' '}
                    <a href={where} target="_blank" rel="noopener noreferrer">
                      {new URL(where).host}
                    </a>
                    . It is stored encrypted as {secret} and never shown again.
                  </p>
                </Form>
              </li>
            );
          })}
        </ul>
        <p class="soft small">
          Ollama needs no key: px finds it by itself. Other servers that speak OpenAI's API are set with{' '}
          <a href="/settings/providers">providers</a> in Settings.
        </p>
      </Card>
      <Card title="Spend">
        <Caps caps={byModel.caps} />
        <Bars
          title="Dollars a day, last 30 days"
          bars={lastDays(days.lines)}
          scale={dollars}
          most={`${dollars(days.total.usd)} in all, ${days.total.calls.toLocaleString('en')} calls`}
        />
        {byModel.lines.length > 0 && (
          <div class="scroll" tabindex={0}>
            <table>
              <caption class="hidden">This month by model</caption>
              <thead>
                <tr>
                  <th scope="col">This month</th>
                  <th scope="col" class="number">
                    Cost
                  </th>
                  <th scope="col" class="number">
                    Calls
                  </th>
                  <th scope="col" class="number">
                    Tokens in
                  </th>
                  <th scope="col" class="number">
                    out
                  </th>
                </tr>
              </thead>
              <tbody>
                {byModel.lines.map((line) => (
                  <tr>
                    <th scope="row">{plain(line.key)}</th>
                    <td class="number">{dollars(line.usd)}</td>
                    <td class="number">{line.calls.toLocaleString('en')}</td>
                    <td class="number">{line.input.toLocaleString('en')}</td>
                    <td class="number">{line.output.toLocaleString('en')}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Card>
      <details class="card" open={models.length <= 12}>
        <summary>
          <strong>Models that can be used now</strong> <span class="soft">{models.length}</span>
        </summary>
        <ul class="rows small">
          {models.map((one) => (
            <li>
              <span class="grow">
                <code>{plain(one.ref)}</code> {one.offline && <span class="tag warn">offline</span>}
                {one.aliases?.map((alias) => (
                  <span class="tag">{plain(alias)}</span>
                ))}
              </span>
              <span class="soft">{plain(one.cost ?? '')}</span>
              <Form visit={visit} label={`Use ${one.ref}`}>
                <input type="hidden" name="model" value={one.ref} />
                {one.ref === status.model.ref ? <span class="soft">in use</span> : <Button do="use">Use</Button>}
              </Form>
            </li>
          ))}
        </ul>
      </details>
    </Layout>
  );
}

function Tested({ test }: { test: Test }) {
  if (test.error)
    return (
      <div class="notice bad" role="alert">
        <strong>
          {test.model}: {plain(test.error.message)}
        </strong>{' '}
        {plain(test.error.hint ?? '')}
      </div>
    );
  const first = test.firstMs === null ? '' : `, the first word after ${test.firstMs} ms`;
  return (
    <Notice kind="good">
      <strong>{test.model} works.</strong> It said “{plain(test.text.trim().slice(0, 120))}” in {test.ms} ms{first}.
    </Notice>
  );
}

function Caps({ caps }: { caps: Awaited<ReturnType<Client['usage']>>['caps'] }) {
  return (
    <div class="grid">
      {caps.map((cap) => (
        <div class="field">
          <span>
            {dollars(cap.spent)} of {dollars(cap.limit)} a {cap.cap}
          </span>
          <meter
            min="0"
            max={Math.max(cap.limit, 0.01)}
            value={cap.spent}
            aria-label={`Spent of what a ${cap.cap} may cost`}
          ></meter>
        </div>
      ))}
      <p class="help">
        No call is made that could pass a cap. <a href="/settings/model">Change the caps</a>
      </p>
    </div>
  );
}

const dollars = (n: number) => `$${n.toFixed(n > 0 && n < 0.01 ? 4 : 2)}`;

function lastDays(lines: { key: string; usd: number; calls: number }[]) {
  const of = new Map(lines.map((line) => [line.key, line]));
  return Array.from({ length: 30 }, (_, i) => {
    const day = new Date(Date.now() - (29 - i) * 86_400_000).toISOString().slice(0, 10);
    const line = of.get(day);
    return {
      label: day.slice(5),
      value: line?.usd ?? 0,
      says: `${dollars(line?.usd ?? 0)}, ${line?.calls ?? 0} calls`,
    };
  });
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

export const pages: Page[] = [
  {
    path: '/models',
    show: (visit) => show(visit),
    actions: {
      async switch({ client, form }) {
        const model = form.text('model').trim();
        const fallbacks = form
          .text('fallbacks')
          .split(/[\s,]+/)
          .filter(Boolean);
        await (model === 'auto' ? client.unsetConfig('model.default') : client.setConfig('model.default', model));
        await (fallbacks.length === 0
          ? client.unsetConfig('model.fallbacks')
          : client.setConfig('model.fallbacks', fallbacks));
        return '/models';
      },
      async use({ client, form }) {
        await client.setConfig('model.default', form.text('model'));
        return '/models';
      },
      test: async (visit): Promise<Shown> => {
        const named = visit.form.text('model').trim();
        const model = named === 'auto' || named === '' ? visit.status.model.ref : named;
        return show(visit, await visit.client.testModel(model));
      },
      async key({ client, form }) {
        const key = form.text('key').trim();
        if (key === '') throw new PxError('usage', 'Paste a key first.');
        await client.setSecret(await secretOf(client, form.text('secret')), key);
        return '/models';
      },
      async forget({ client, form }) {
        await client.removeSecret(await secretOf(client, form.text('secret')));
        return '/models';
      },
    },
  },
];

type Provider = Awaited<ReturnType<Client['providers']>>[number];
const withKey = (one: Provider) => one.keyNeeded && one.keyUrl !== '';

/** Only keys of providers are set here. */
async function secretOf(client: Client, name: string): Promise<string> {
  if ((await client.providers()).some((one) => withKey(one) && one.secret === name)) return name;
  throw new PxError('usage', 'This is no key of a provider.');
}
