/** @jsxImportSource hono/jsx */
import type { PxError } from '../../error/error.ts';
import { Document } from '../ui/layout.tsx';

/** The page for somebody who is not signed in; its script spends the code in the address. */
export function signInPage(wrong = '') {
  return (
    <Document title="Sign in" kind="alone">
      <main id="main">
        <section class="card" id="sign-in">
          <h1>Sign in to px</h1>
          <p id="sign-in-state" role="status">
            {wrong || 'Open the link that px serve printed.'}
          </p>
          <p class="soft">
            Type <code>px portal</code> where px runs for a fresh one. It is good for an hour and one use.
          </p>
          <form method="post" action="/sign-in" class="stack">
            <div class="field">
              <label for="code">Link or code</label>
              <input id="code" name="code" required autocomplete="off" class="mono" maxlength={500} />
            </div>
            <button type="submit" class="main">
              Sign in
            </button>
          </form>
        </section>
      </main>
    </Document>
  );
}

/** The page for a failure: what happened, and what to do. */
export function errorPage(error: PxError, signedIn: boolean) {
  return (
    <Document title="Sorry" kind="alone">
      <main id="main">
        <section class="card">
          <h1>{error.message}</h1>
          {error.hint && <p>{error.hint}</p>}
          <p>
            <a href="/">{signedIn ? 'To the chat' : 'To the start'}</a>
          </p>
        </section>
      </main>
    </Document>
  );
}
