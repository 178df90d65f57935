/** @jsxImportSource hono/jsx */
import type { Child } from 'hono/jsx';
import type { PxError } from '../../error/error.ts';
import type { Visit } from '../visit.ts';

/** What went wrong and what to do; told at once by a screen reader. */
export function Problem({ error }: { error: PxError }) {
  return (
    <div class="notice bad" role="alert">
      <strong>
        <Words text={error.message} />
      </strong>{' '}
      <Words text={error.hint ?? ''} />
    </div>
  );
}

/** Something to know, in a line or two. */
export function Notice({ kind = 'info', children }: { kind?: 'info' | 'good' | 'warn'; children?: Child }) {
  return (
    <div class={`notice ${kind}`} role="status">
      {children}
    </div>
  );
}

/** A box with a title. */
export function Card(props: { title?: string; side?: Child; id?: string; children?: Child }) {
  return (
    <section class="card" id={props.id}>
      {props.title !== undefined && (
        <div class="head">
          <h2>{props.title}</h2>
          {props.side}
        </div>
      )}
      {props.children}
    </section>
  );
}

/** What a page shows where there is nothing yet: what would be here, and how it comes. */
export function Empty({ children }: { children?: Child }) {
  return <div class="empty">{children}</div>;
}

/** A form that carries the secret of this session; its buttons say with `do` what they do. */
export function Form(props: {
  visit: Visit;
  action?: string;
  class?: string;
  id?: string;
  upload?: boolean;
  label?: string;
  children?: Child;
}) {
  const { visit } = props;
  return (
    <form
      method="post"
      action={props.action ?? visit.url.pathname + visit.url.search}
      class={props.class}
      id={props.id}
      aria-label={props.label}
      enctype={props.upload ? 'multipart/form-data' : undefined}
    >
      <input type="hidden" name="form" value={visit.formToken} />
      {props.children}
    </form>
  );
}

/** A labelled input with its help; what was sent stands in it again after a mistake. */
export function Field(props: {
  name: string;
  label: string;
  value?: string;
  help?: Child;
  placeholder?: string;
  type?: string;
  required?: boolean;
  rows?: number;
  mono?: boolean;
  autocomplete?: string;
  list?: string;
  pattern?: string;
}) {
  const { name, label, value = '', help, rows, type = 'text' } = props;
  const id = `f-${name}`;
  const shared = {
    id,
    name,
    placeholder: props.placeholder,
    required: props.required,
    'aria-describedby': help ? `${id}-help` : undefined,
    class: props.mono ? 'mono' : undefined,
    spellcheck: props.mono ? false : undefined,
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {rows === undefined ? (
        <input
          {...shared}
          type={type}
          value={value}
          list={props.list}
          pattern={props.pattern}
          autocomplete={props.autocomplete ?? 'off'}
        />
      ) : (
        <textarea {...shared} rows={rows}>
          {value}
        </textarea>
      )}
      {help && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
    </div>
  );
}

/** A labelled choice. */
export function Choice(props: {
  name: string;
  label: string;
  value: string;
  options: [value: string, text: string][];
  help?: Child;
}) {
  const id = `f-${props.name}`;
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <select id={id} name={props.name} aria-describedby={props.help ? `${id}-help` : undefined}>
        {props.options.map(([value, text]) => (
          <option value={value} selected={value === props.value}>
            {text}
          </option>
        ))}
      </select>
      {props.help && (
        <p class="help" id={`${id}-help`}>
          {props.help}
        </p>
      )}
    </div>
  );
}

/** A button of a form. */
export function Button(props: { do: string; kind?: 'main' | 'danger' | 'plain'; children?: Child; label?: string }) {
  return (
    <button type="submit" name="do" value={props.do} class={props.kind ?? 'plain'} aria-label={props.label}>
      {props.children}
    </button>
  );
}

/** A button that asks once more before it does something that hurts. */
export function Sure(props: { visit: Visit; do: string; ask: string; yes: string; name?: string; children?: Child }) {
  return (
    <details class="sure">
      <summary class="button danger" aria-label={props.name}>
        {props.yes}
      </summary>
      <Form visit={props.visit} class="card pop">
        <p>{props.ask}</p>
        {props.children}
        <Button do={props.do} kind="danger">
          Yes, {props.yes.toLowerCase()}
        </Button>
      </Form>
    </details>
  );
}

/** A name and its value, in a list of facts. */
export function Fact({ name, children }: { name: string; children?: Child }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** Plain words, with what stands in backquotes as code. */
export function Words({ text }: { text: string }) {
  return <>{text.split('`').map((part, i) => (i % 2 === 1 ? <code>{part}</code> : part))}</>;
}

/** How something is doing, as a word with a dot. */
export function State({ state }: { state: string }) {
  return <span class={`state ${tone(state)}`}>{state}</span>;
}

function tone(state: string): string {
  if (/^(running|working|idle|sent|approved|ok|active)$/.test(state)) return 'good';
  if (/^(failing|quarantined|broken|failed|denied|error)$/.test(state)) return 'bad';
  if (/^(waiting|pending|starting|unknown|old|stopped|limit)$/.test(state)) return 'warn';
  return '';
}

/** A moment as people read it; the exact one is in the element. */
export function Time({ at }: { at: number }) {
  const date = new Date(at);
  return <time datetime={date.toISOString()}>{when(date, new Date())}</time>;
}

function when(date: Date, now: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return date.toDateString() === now.toDateString() ? `today ${clock}` : `${day} ${clock}`;
}

/** `4.2 MB`. */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  if (n < 1_000_000) return `${(n / 1000).toFixed(1)} kB`;
  return `${(n / 1_000_000).toFixed(1)} MB`;
}

/** `1 note`, `3 notes`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
}
