/** @jsxImportSource hono/jsx */
import type { Child } from 'hono/jsx';
import type { Visit } from '../visit.ts';
import { Icon, type IconName } from './icon.tsx';
import { Problem } from './parts.tsx';

type Entry = [href: string, name: string, icon: IconName];

const menu: [title: string, entries: Entry[]][] = [
  [
    '',
    [
      ['/', 'Chat', 'chat'],
      ['/conversations', 'Conversations', 'conversations'],
      ['/memory', 'Memory', 'memory'],
      ['/schedule', 'Schedule', 'schedule'],
    ],
  ],
  [
    'Set up',
    [
      ['/channels', 'Channels', 'channels'],
      ['/models', 'Models', 'models'],
      ['/plugins', 'Plugins', 'plugins'],
      ['/settings', 'Settings', 'settings'],
    ],
  ],
  [
    'Watch',
    [
      ['/approvals', 'Approvals', 'approvals'],
      ['/audit', 'Audit', 'audit'],
      ['/status', 'Status', 'status'],
      ['/docs', 'Docs', 'docs'],
    ],
  ],
];

/** Head and body of every page. Everything inside is escaped by hono/jsx; no page holds inline script or style. */
export function Document(props: { title: string; kind: string; script?: string; children?: Child }) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="color-scheme" content="light dark" />
        <title>{props.title} · px</title>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/portal.css" />
        <script src="/portal.browser.js" type="module"></script>
        {props.kind === 'app' && props.script === '/chat.browser.js' && (
          <link rel="modulepreload" href="/markdown.browser.js" />
        )}
        {props.script && <script src={props.script} type="module"></script>}
      </head>
      <body class={props.kind}>{props.children}</body>
    </html>
  );
}

/** What a page of the menu is made of. */
export interface LayoutProps {
  visit: Visit;
  title: string;
  /** A sentence below the title. */
  about?: string;
  /** The page above this one. */
  up?: { href: string; name: string };
  /** `wide`: the page uses the whole width; `full`: it is its own frame (the chat). */
  size?: 'wide' | 'full';
  script?: string;
  children?: Child;
}

/** The frame of every page of a signed-in person: menu, title, what went wrong, and the page. */
export function Layout({ visit, title, about, up, size, script, children }: LayoutProps) {
  const { status, problem } = visit;
  return (
    <Document title={title} kind="app" {...(script === undefined ? {} : { script })}>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <header class="bar">
        <button type="button" class="ghost square" popovertarget="menu" aria-label="Menu">
          <Icon name="menu" />
        </button>
        <a class="brand" href="/">
          px
        </a>
        <span class="where">{title}</span>
      </header>
      <Menu visit={visit} />
      <main id="main" class={size ?? ''} tabindex={-1}>
        {size !== 'full' && (
          <div class="title">
            {up && (
              <a class="up" href={up.href}>
                <Icon name="back" />
                {up.name}
              </a>
            )}
            <h1>{title}</h1>
            {about && <p class="soft">{about}</p>}
          </div>
        )}
        {status.config.problem !== '' && (
          <div class="notice bad" role="alert">
            <strong>px.yaml was not taken over.</strong> {status.config.problem} The last good configuration stays in
            force. <a href="/settings/file">Mend it</a>
          </div>
        )}
        {problem && <Problem error={problem} />}
        {children}
      </main>
    </Document>
  );
}

function Menu({ visit: { status, waiting, url } }: { visit: Visit }) {
  return (
    <nav id="menu" class="menu" popover="auto" aria-label="Pages">
      <a class="brand" href="/">
        <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
          <rect width="32" height="32" rx="8" class="mark" />
          <path d="M9 24V12h5a4 4 0 0 1 0 8H9m10 0 5-8m-5 0 5 8" class="stroke" />
        </svg>
        px
      </a>
      {menu.map(([title, entries]) => (
        <>
          {title !== '' && <h2>{title}</h2>}
          <ul>
            {entries.map(([href, name, icon]) => (
              <li>
                <a href={href} aria-current={isHere(href, url.pathname) ? 'page' : undefined}>
                  <Icon name={icon} />
                  {name}
                  {href === '/approvals' && waiting > 0 && (
                    <span class="count">
                      {waiting}
                      <span class="hidden"> waiting</span>
                    </span>
                  )}
                </a>
              </li>
            ))}
          </ul>
        </>
      ))}
      <a
        class={status.model.offline ? 'model warn' : 'model'}
        href="/models"
        title={status.model.note.replaceAll('`', '')}
      >
        <span class="soft">{status.model.offline ? 'offline model' : 'model'}</span>
        {status.model.ref}
      </a>
    </nav>
  );
}

function isHere(href: string, path: string): boolean {
  return href === '/' ? path === '/' : path === href || path.startsWith(`${href}/`);
}
