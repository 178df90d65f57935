/** @jsxImportSource hono/jsx */
import type { Child } from 'hono/jsx';
import type { Client } from '../../client/client.ts';

type Status = Awaited<ReturnType<Client['status']>>;

/** The frame of every page. Everything inside is escaped by hono/jsx; no page holds inline script or style. */
export function Layout(props: { title: string; here: string; status?: Status; children?: Child }) {
  const { title, here, status, children } = props;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="color-scheme" content="light dark" />
        <title>{title} · px</title>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/portal.css" />
        <script src="/portal.js" defer></script>
      </head>
      <body>
        <header class="top">
          <a class="brand" href="/">
            px
          </a>
          {status && (
            <nav>
              <Tab href="/" name="Chat" here={here} />
              <Tab href="/status" name="Status" here={here} />
            </nav>
          )}
          {status && <ModelBadge status={status} />}
        </header>
        <main class={here}>{children}</main>
      </body>
    </html>
  );
}

function Tab({ href, name, here }: { href: string; name: string; here: string }) {
  const current = name.toLowerCase() === here;
  return (
    <a href={href} aria-current={current ? 'page' : undefined}>
      {name}
    </a>
  );
}

/** Which model answers; one that needs no network says so wherever it is named. */
function ModelBadge({ status }: { status: Status }) {
  const { ref, offline, note } = status.model;
  return (
    <span class={offline ? 'badge warn' : 'badge'} title={note}>
      {offline ? `offline model · ${ref}` : ref}
    </span>
  );
}
