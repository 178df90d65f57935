import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, startApp } from '../../src/app/app.ts';
import { homeAt } from '../../src/config/config.ts';
import { type Gateway, startGateway } from '../../src/gateway/gateway.ts';
import { servePortal } from '../../src/portal/portal.ts';

/** What a page answered. */
export interface Answer {
  status: number;
  text: string;
  headers: Headers;
  /** Where it sends the browser. */
  to: string | null;
}

/** A px in a home of its own with its portal, and a browser that is signed in. */
export class Portal implements AsyncDisposable {
  readonly root: string;
  readonly app: App;
  readonly gateway: Gateway;
  cookie = '';

  private constructor(root: string, app: App, gateway: Gateway) {
    this.root = root;
    this.app = app;
    this.gateway = gateway;
  }

  static async open(): Promise<Portal> {
    const root = mkdtempSync(join(tmpdir(), 'px-portal-'));
    const env = { home: undefined, userHome: root, get: () => undefined };
    const app = await startApp({ home: homeAt(root), env, version: '9.9.9', quiet: true });
    const portal = new Portal(root, app, await startGateway({ app, port: 0, pages: servePortal }));
    portal.cookie = await portal.signIn();
    return portal;
  }

  /** A new session's cookie. */
  async signIn(): Promise<string> {
    const response = await fetch(`${this.gateway.url}/api/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: this.gateway.url },
      body: JSON.stringify({ code: this.gateway.createCode().code }),
    });
    return response.headers.get('set-cookie')?.split(';')[0] ?? '';
  }

  async get(path: string, headers: Record<string, string> = { cookie: this.cookie }): Promise<Answer> {
    return answerOf(await fetch(this.gateway.url + path, { headers, redirect: 'manual' }));
  }

  /** The secret in the forms of a page. */
  async token(cookie = this.cookie): Promise<string> {
    const { text } = await this.get('/schedule', { cookie });
    return /name="form" value="([^"]+)"/.exec(text)?.[1] ?? '';
  }

  /** Sends a form as a browser does; `headers` replaces what a browser sends of itself. */
  async send(path: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
    const body = new URLSearchParams({ form: await this.token(), ...fields });
    return answerOf(
      await fetch(this.gateway.url + path, {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie: this.cookie, origin: this.gateway.url, ...headers },
        body,
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway.stop();
    await this.app.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response;
  return { status, headers, text: await response.text(), to: headers.get('location') };
}
