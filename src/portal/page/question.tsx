/** @jsxImportSource hono/jsx */
import type { Client } from '../../client/client.ts';
import { plain } from '../ui/markdown.ts';
import { Button, Form } from '../ui/parts.tsx';
import type { Visit } from '../visit.ts';

type Approval = Awaited<ReturnType<Client['approvals']['list']>>['approvals'][number];

/** A tool call that waits for a person's word, with the answers one can give. */
export function Question({ visit, approval, from = false }: { visit: Visit; approval: Approval; from?: boolean }) {
  const { id, tool, origin, reason, labels, conversation, asked } = approval;
  return (
    <div class="ask" data-id={id}>
      <p>
        <strong>{plain(tool)}</strong> of {origin} waits for your word: {plain(reason)}.
      </p>
      <pre tabindex={0}>{plain(approval.arguments)}</pre>
      {labels.length > 0 && (
        <p class="small">This conversation has read text from outside: {plain(labels.join(', '))}.</p>
      )}
      {from && (
        <p class="soft small">
          Asked by {plain(asked)} in <a href={`/?c=${encodeURIComponent(conversation)}`}>{conversation}</a>
        </p>
      )}
      <Form visit={visit} class="row" action="/approvals" label={`Decide about ${tool}`}>
        <input type="hidden" name="id" value={id} />
        {!from && <input type="hidden" name="back" value={visit.url.pathname + visit.url.search} />}
        <Button do="once" kind="main">
          Allow once
        </Button>
        <Button do="session">Allow in this conversation</Button>
        <Button do="time">Allow for an hour</Button>
        <Button do="deny" kind="danger">
          Deny
        </Button>
      </Form>
    </div>
  );
}
