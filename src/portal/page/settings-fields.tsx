/** @jsxImportSource hono/jsx */
import type { Form } from '../form.ts';
import { Words } from '../ui/parts.tsx';
import type { Place } from './settings-form.ts';

/** The fields of some places of px.yaml; what was sent stands in them again after a mistake. */
export function Fields({ places, form }: { places: Place[]; form: Form }) {
  const plain = places.filter((place) => place.kind !== 'section' && place.kind !== 'entries');
  const nested = places.filter((place) => place.kind === 'section' || place.kind === 'entries');
  return (
    <>
      {plain.length > 0 && (
        <section class="card">
          {plain.map((place) => (
            <Leaf place={place} form={form} />
          ))}
        </section>
      )}
      {nested.map((place) =>
        place.kind === 'entries' ? <Entries place={place} form={form} /> : <Section place={place} form={form} />,
      )}
    </>
  );
}

function Section({ place, form }: { place: Place; form: Form }) {
  if (place.kind !== 'section') return null;
  return (
    <fieldset id={place.name}>
      <legend>
        {place.name} {place.description !== '' && <span class="help">{place.description}</span>}
      </legend>
      <Fields places={place.places} form={form} />
    </fieldset>
  );
}

function Entries({ place, form }: { place: Place; form: Form }) {
  if (place.kind !== 'entries') return null;
  return (
    <fieldset>
      {place.description !== '' && (
        <legend>
          {place.name} <span class="help">{place.description}</span>
        </legend>
      )}
      {place.entries.length === 0 && <p class="soft">Nothing is here yet.</p>}
      {place.entries.map((entry) => (
        <details class="entry" id={entry.name} open={place.entries.length === 1}>
          <summary>
            <strong>{entry.name}</strong>
          </summary>
          {entry.kind === 'section' && <Fields places={entry.places} form={form} />}
          <label class="check">
            <input type="checkbox" name={`${entry.key}-`} value="yes" /> Take {entry.name} out of px.yaml
          </label>
        </details>
      ))}
      <div class="field">
        <label for={place.add}>Add one, by its name</label>
        <input id={place.add} name={place.add} value={form.text(place.add)} autocomplete="off" class="mono" />
      </div>
    </fieldset>
  );
}

function Leaf({ place, form }: { place: Place; form: Form }) {
  if (place.kind === 'section' || place.kind === 'entries') return null;
  const { key } = place;
  const value = form.has(key) ? form.text(key) : place.value;
  const shared = { id: key, name: key, 'aria-describedby': `${key}?` };
  const options = place.kind === 'flag' ? ['true', 'false'] : place.kind === 'choice' ? place.options : undefined;
  return (
    <div class="field setting">
      <label for={key}>
        <code>{place.name}</code>
      </label>
      {options ? (
        <select {...shared}>
          {place.usual === '' && <option value="">not set</option>}
          {options.map((option) => (
            <option value={option} selected={option === value}>
              {option}
            </option>
          ))}
        </select>
      ) : place.kind === 'number' ? (
        <input
          {...shared}
          type="number"
          step={place.whole ? 1 : 'any'}
          min={place.least}
          max={place.most}
          value={value}
          placeholder={place.usual}
        />
      ) : place.kind === 'text' ? (
        <input {...shared} class="mono" autocomplete="off" spellcheck={false} value={value} placeholder={place.usual} />
      ) : (
        <textarea {...shared} class="mono" spellcheck={false} rows={Math.min(12, value.split('\n').length + 1)}>
          {value}
        </textarea>
      )}
      <p class="help" id={`${key}?`}>
        <Words text={place.description} />
        {place.kind === 'lines' && ' One a line.'}
        {place.kind === 'yaml' && ' Written as YAML.'}
        {place.usual !== '' && (
          <>
            {' '}
            Usually <code>{place.usual}</code>.
          </>
        )}
      </p>
    </div>
  );
}
