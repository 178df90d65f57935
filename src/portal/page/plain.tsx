/** @jsxImportSource hono/jsx */
import type { PxError } from '../../error/error.ts';
import { Layout } from './layout.tsx';

/** The page for somebody who is not signed in; its script spends the code in the address. */
export function signInPage() {
  return (
    <Layout title="Sign in" here="plain">
      <section class="card" id="sign-in">
        <h1>Sign in</h1>
        <p id="sign-in-state">
          Open the link that <code>px serve</code> printed, or type <code>px portal</code> where px runs for a fresh
          one.
        </p>
      </section>
    </Layout>
  );
}

/** The page for a failure: what happened, and what to do. */
export function errorPage(error: PxError) {
  return (
    <Layout title="Sorry" here="plain">
      <section class="card">
        <h1>{error.message}</h1>
        {error.hint && <p>{error.hint}</p>}
        <p>
          <a href="/">Back to the chat</a>
        </p>
      </section>
    </Layout>
  );
}
