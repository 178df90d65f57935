import { describe, expect, test } from 'bun:test';
import { bundledPlugins } from '../../src/plugin/engine/bundled.ts';
import type { Json } from '../../src/wire/wire.ts';
import { current, daily, graz } from './open-meteo.ts';
import { type Answer, type Asked, guestError, runScript } from './run.ts';

const places = (results?: object[]): Answer => ({
  status: 200,
  body: JSON.stringify({ results, generationtime_ms: 0.5 }),
});
const days: Answer = {
  status: 200,
  body: JSON.stringify({ latitude: 47.06, timezone: 'Europe/Vienna', current, daily }),
};
const service = (request: Asked) => (request.url.includes('geocoding') ? places([graz]) : days);

async function asking(http: (request: Asked) => Answer, settings: Record<string, Json> = {}) {
  const plugin = (await bundledPlugins())['weather'];
  const running = await runScript(new TextDecoder().decode(plugin?.file), 'weather.js', { http, settings });
  return { ...running, ask: (args: object) => running.call('call-tool', 'weather', JSON.stringify(args)) };
}

describe('weather', () => {
  test('tells now and the days asked for, in a few lines', async () => {
    const { ask, host } = await asking(service);
    expect(ask({ place: 'Graz', days: 2 })).toBe(
      [
        'Graz, Styria, Austria, 2026-11-29 14:15 local time',
        'Now: overcast, 4 °C, feels like 0 °C, wind 15 km/h, humidity 71%',
        'Sun 2026-11-29: light rain, -2 °C to 5 °C, 2.35 mm, 80% chance of rain or snow',
        'Mon 2026-11-30: weather code 999, 0 °C to 4 °C',
      ].join('\n'),
    );
    const asked = host.asked.map(({ url }) => Object.fromEntries(new URL(url).searchParams));
    expect(asked).toMatchObject([
      { name: 'Graz', format: 'json' },
      { latitude: '47.06667', longitude: '15.45', forecast_days: '2', timezone: 'auto' },
    ]);
    expect(asked[1]).not.toHaveProperty('temperature_unit');
  });

  test('in the units and at the place the settings name', async () => {
    const { ask, host } = await asking(service, { units: 'imperial', place: 'Graz' });
    expect(ask({})).toContain('4 °F, feels like 0 °F, wind 15 mph');
    expect(host.asked[1]?.url).toContain('temperature_unit=fahrenheit&wind_speed_unit=mph&precipitation_unit=inch');
  });

  test('of several places of one name the one in the country that was named', async () => {
    const other = { name: 'Paris', latitude: 33.66, longitude: -95.55, country: 'United States', admin1: 'Texas' };
    const paris = { name: 'Paris', latitude: 48.85, longitude: 2.35, country: 'France', country_code: 'FR' };
    const { ask } = await asking((request) => (request.url.includes('geocoding') ? places([paris, other]) : days));
    expect(ask({ place: 'Paris' })).toContain('Paris, France');
    expect(ask({ place: 'Paris, texas' })).toContain('Paris, Texas, United States');
    expect(ask({ place: 'Paris, FR' })).toContain('Paris, France');
  });

  test('what goes wrong is said so that a person knows what to do', async () => {
    const error = async (http: (request: Asked) => Answer, args: object = { place: 'Graz' }, settings = {}) => {
      const { ask } = await asking(http, settings);
      return guestError(() => ask(args));
    };
    expect(await error(() => places())).toContain('no place called "Graz"');
    expect(await error(service, {})).toContain('px config set plugins.weather.settings.place');
    expect(await error(service, undefined, { units: 'kelvin' })).toContain('metric or imperial');
    expect(await error(() => ({ status: 503, body: '' }))).toBe(
      'The weather service is down (http 503). Try again later.',
    );
    expect(await error(() => ({ status: 429, body: '{}' }))).toContain('too often');
    expect(await error(() => ({ status: 400, body: '{"error":true,"reason":"Latitude out of range"}' }))).toContain(
      'Latitude out of range',
    );
    expect(await error(() => ({ status: 200, body: '<html>' }))).toContain('no JSON');
    expect(await error((request) => (request.url.includes('geocoding') ? places([graz]) : places()))).toContain(
      'no forecast',
    );
    const thrown = (val: object) => () => {
      throw val;
    };
    expect(await error(thrown({ tag: 'denied', val: 'no egress rule' }))).toContain('px plugin grant weather --all');
    expect(await error(thrown({ tag: 'network', val: 'refused' }))).toContain('cannot be reached now (refused)');
  });
});
