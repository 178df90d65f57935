/** A time zone a person named, or the one of this machine. */
export interface Zone {
  /** As it is said: `Tokyo`; empty for this machine's own. */
  place: string;
  /** Minutes east of UTC at the moment. */
  offset: number;
}

/** The zone of a place as the time zone database spells it (`tokyo`, `New York`, `Europe/Vienna`, `UTC`); undefined when it has none. */
export function zoneOf(place: string, now = new Date()): Zone | undefined {
  const wanted = place.trim().toLowerCase().replace(/\s+/g, '_');
  if (wanted === '') return { place: '', offset: -now.getTimezoneOffset() };
  if (wanted === 'utc' || wanted === 'gmt') return { place: 'UTC', offset: 0 };
  const id = Intl.supportedValuesOf('timeZone').find((zone) => {
    const name = zone.toLowerCase();
    return name === wanted || name.endsWith(`/${wanted}`);
  });
  if (id === undefined) return undefined;
  const name = (id.split('/').at(-1) ?? id).replaceAll('_', ' ');
  return { place: name, offset: offsetOf(id, now) };
}

function offsetOf(timeZone: string, now: Date): number {
  const part = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
    .formatToParts(now)
    .find(({ type }) => type === 'timeZoneName');
  const [, sign, hours = '0', minutes = '0'] = /GMT([+-])(\d\d):(\d\d)/.exec(part?.value ?? '') ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}
