/** @jsxImportSource hono/jsx */
import { Layout } from '../ui/layout.tsx';
import { plain } from '../ui/markdown.ts';
import { Button, Card, Empty, Form, Time } from '../ui/parts.tsx';
import type { Page, Visit } from '../visit.ts';
import { Question } from './question.tsx';

/** What waits for a person's word, and what is allowed without asking again. */
async function show(visit: Visit) {
  const { approvals, standing } = await visit.client.approvals.list();
  return (
    <Layout
      visit={visit}
      title="Approvals"
      about="Calls of tools that wait for your word, and what you have allowed for longer."
      script="/live.browser.js"
    >
      <div id="waiting" class="stack" data-live data-on="approval">
        {approvals.length === 0 && (
          <Empty>
            <p>Nothing waits for you.</p>
            <p class="small">What px asks about is set with the policy of tools in Settings.</p>
          </Empty>
        )}
        {approvals.map((approval) => (
          <Question visit={visit} approval={approval} from />
        ))}
      </div>
      <Card title="Allowed without asking again">
        {standing.length === 0 && <p class="soft">Nothing.</p>}
        <ul class="rows">
          {standing.map((one) => (
            <li>
              <span class="grow">
                <strong>{plain(one.tool)}</strong> in {one.conversation}
                {one.outside && ', also after text from outside was read'}
                <br />
                <span class="soft small">
                  by {plain(one.by)}, <Time at={one.at} />,{' '}
                  {one.until === 0 ? (
                    'until the conversation begins anew'
                  ) : (
                    <>
                      until <Time at={one.until} />
                    </>
                  )}
                </span>
              </span>
              <Form visit={visit}>
                <input type="hidden" name="id" value={one.id} />
                <Button do="revoke" kind="danger">
                  Take back
                </Button>
              </Form>
            </li>
          ))}
        </ul>
      </Card>
    </Layout>
  );
}

const decide = (decision: 'once' | 'session' | 'time' | 'deny') => async (visit: Visit) => {
  await visit.client.approvals.decide(visit.form.text('id'), decision);
  const back = visit.form.text('back');
  // Only a page of the portal: what a form says is not an address to be sent to.
  return /^\/(?:\?c=[^/\\]*)?$/.test(back) ? back : '/approvals';
};

export const pages: Page[] = [
  {
    path: '/approvals',
    show,
    actions: {
      once: decide('once'),
      session: decide('session'),
      time: decide('time'),
      deny: decide('deny'),
      async revoke(visit) {
        await visit.client.approvals.revoke(visit.form.text('id'));
        return '/approvals';
      },
    },
  },
];
