/** @jsxImportSource hono/jsx */
import type { Client } from '../../client/client.ts';
import { plain } from '../ui/markdown.ts';
import { bytes, Card, count, Fact, Words } from '../ui/parts.tsx';

type Info = Awaited<ReturnType<Client['plugin']>>;

/** What its author says is to be done first. */
export function Setup({ info: { manifest } }: { info: Info }) {
  if (manifest.setup === '') return null;
  return (
    <Card title="To set it up, in its own words">
      <pre class="small">{plain(manifest.setup)}</pre>
    </Card>
  );
}

/** Where it comes from, whose it is, and what it can call. */
export function About({ info }: { info: Info }) {
  return (
    <Card title="About it">
      <dl>
        <Fact name="Version">{plain(info.version)}</Fact>
        <Fact name="Comes from">{plain(info.source)}</Fact>
        <Fact name="Signed by">{info.signedBy === '' ? 'nobody you trust' : plain(info.signedBy)}</Fact>
        <Fact name="Size">{bytes(info.bytes)}</Fact>
        <Fact name="SHA-256">
          <code>{info.sha256}</code>
        </Fact>
        <Fact name="Imports">{imported(info)}</Fact>
      </dl>
    </Card>
  );
}

function imported({ kind, imports, manifest }: Info): string {
  if (manifest.sealed) return 'nothing: it is sealed';
  if (kind === 'script') return 'what every script may: the module px';
  return imports.length === 0 ? 'nothing of px' : plain(imports.join(', '));
}

/** What it is good for; the functions px calls for that are for who looks closer. */
export function Offers({ info: { tools, functions } }: { info: Info }) {
  const connects = functions.some((one) => one.name === 'post-message');
  return (
    <Card title="What it offers">
      {connects && (
        <p>
          It connects a messenger: set it up under <a href="/channels">Channels</a>.
        </p>
      )}
      <ul class="rows">
        {tools.map((tool) => (
          <li>
            <span class="grow">
              <strong>{plain(tool.name)}</strong> <span class="tag">tool</span>
              <br />
              <span class="soft small">
                <Words text={plain(tool.description)} />
              </span>
            </span>
          </li>
        ))}
      </ul>
      {functions.length > 0 && (
        <details>
          <summary class="soft small">{count(functions.length, 'function')} px can call</summary>
          <ul class="rows">
            {functions.map((one) => (
              <li>
                <span class="grow">
                  <code>{`${plain(one.name)}(${one.params.map((param) => plain(param.name)).join(', ')})`}</code>
                  {one.docs !== '' && (
                    <>
                      <br />
                      <span class="soft small">
                        <Words text={plain(one.docs)} />
                      </span>
                    </>
                  )}
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </Card>
  );
}
