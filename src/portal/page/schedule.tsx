/** @jsxImportSource hono/jsx */
import { PxError } from '../../error/error.ts';
import { Layout } from '../ui/layout.tsx';
import { plain } from '../ui/markdown.ts';
import { Button, Card, Choice, Empty, Field, Form, Sure, Time } from '../ui/parts.tsx';
import type { Page, Visit } from '../visit.ts';
import { noteHref } from './address.ts';

/** What px does by itself, and when. */
async function show(visit: Visit) {
  const { client, form } = visit;
  const [jobs, conversations] = await Promise.all([client.schedule(), client.conversations()]);
  const given = (name: string) => form.text(name);
  return (
    <Layout visit={visit} title="Schedule" about="What px does by itself, at a time or again and again.">
      {jobs.length === 0 && (
        <Empty>
          <p>Nothing is planned.</p>
          <p class="small">Ask for the news each morning, or to be reminded on Friday.</p>
        </Empty>
      )}
      {jobs.length > 0 && (
        <section class="card">
          <ul class="rows">
            {jobs.map((job) => (
              <li>
                <span class="grow">
                  <strong>{plain(job.text)}</strong>
                  <br />
                  <span class="soft small">
                    <code>{plain(job.when)}</code>
                    {job.zone !== '' && ` (${job.zone})`}, to {plain(job.to)}
                    {job.next !== undefined && (
                      <>
                        , next <Time at={job.next} />
                      </>
                    )}
                    {job.last !== undefined && (
                      <>
                        , last <Time at={job.last} />
                      </>
                    )}
                  </span>
                  {job.missed !== undefined && (
                    <span class="tag warn">
                      missed <Time at={job.missed} />
                    </span>
                  )}
                </span>
                <span class="row">
                  <Form visit={visit} label={`Run ${job.id} now`}>
                    <input type="hidden" name="id" value={job.id} />
                    <Button do="run">Run now</Button>
                  </Form>
                  <Sure
                    visit={visit}
                    do="remove"
                    ask={`“${plain(job.text)}” is not done any more.`}
                    yes="Remove"
                    name={`Remove ${job.id}`}
                  >
                    <input type="hidden" name="id" value={job.id} />
                  </Sure>
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <Card title="Something new">
        <Form visit={visit} class="stack">
          <Field
            name="text"
            label="What px is asked"
            placeholder="Tell me what is in the news"
            rows={2}
            required
            value={given('text')}
          />
          <div class="row end">
            <Choice
              name="kind"
              label="When"
              value={given('kind') || 'daily'}
              options={[
                ['daily', 'every day at'],
                ['weekdays', 'Monday to Friday at'],
                ['at', 'once, on'],
                ['every', 'again and again, every'],
                ['cron', 'by a cron line'],
              ]}
            />
            <Field name="time" label="Time" required mono placeholder="08:00" value={given('time')} />
          </div>
          <p class="help">
            A time as <code>08:00</code>; a day and time as <code>2026-12-24 18:00</code>; a span as <code>2h</code> or{' '}
            <code>30m</code>; a cron line as <code>0 8 * * 1-5</code>.
          </p>
          <Field
            name="to"
            label="Where the answer goes"
            value={given('to') || 'web/me'}
            list="conversations"
            required
            help="A conversation as channel/chat."
          />
          <datalist id="conversations">
            {conversations.slice(0, 50).map((one) => (
              <option value={one.conversation} />
            ))}
          </datalist>
          <div>
            <Button do="add" kind="main">
              Plan it
            </Button>
          </div>
        </Form>
      </Card>
      <p class="soft small">
        All of it stands in <a href={noteHref('schedule.md')}>memory/schedule.md</a>.
      </p>
    </Layout>
  );
}

/** The words of the form as px writes a time. Throws PxError `usage`. */
export function whenOf(kind: string, time: string): string {
  const text = time.trim();
  const [, hour, minute] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  if (kind === 'daily' || kind === 'weekdays') {
    if (hour === undefined || Number(hour) > 23 || Number(minute) > 59)
      throw new PxError('usage', `“${text}” is no time of day.`, { hint: 'Write it as 08:00.' });
    return `cron ${Number(minute)} ${Number(hour)} * * ${kind === 'daily' ? '*' : '1-5'}`;
  }
  if (kind === 'at') return `at ${text.replace(/^(\d{4}-\d\d-\d\d)\s+/, '$1T')}`;
  return kind === 'every' ? `every ${text}` : `cron ${text}`;
}

export const pages: Page[] = [
  {
    path: '/schedule',
    show,
    actions: {
      async add({ client, form }) {
        const when = whenOf(form.text('kind'), form.text('time'));
        await client.addJob({ when, to: form.text('to').trim(), text: form.text('text').trim() });
        return '/schedule';
      },
      async run({ client, form }) {
        await client.runJob(form.text('id'));
        return '/schedule';
      },
      async remove({ client, form }) {
        await client.removeJob(form.text('id'));
        return '/schedule';
      },
    },
  },
];
