/** The tool `weather`: now and the next days at a place, from open-meteo. */
import { configGet, HttpError, httpRequest, type Response, type Tool } from 'px';
import { sky } from './codes.ts';

/** Days told when the model does not say how many, and the most open-meteo has. */
const usualDays = 3;
const mostDays = 14;
/** Where open-meteo answers everybody; a server of one's own is named in the settings. */
const usual = {
  geocoding_url: 'https://geocoding-api.open-meteo.com/v1/search',
  forecast_url: 'https://api.open-meteo.com/v1/forecast',
};
const units = {
  metric: { temperature: '°C', speed: 'km/h', rain: 'mm', query: {} },
  imperial: {
    temperature: '°F',
    speed: 'mph',
    rain: 'in',
    query: { temperature_unit: 'fahrenheit', wind_speed_unit: 'mph', precipitation_unit: 'inch' },
  },
};
type Units = (typeof units)['metric' | 'imperial'];

export const tools: Tool[] = [
  {
    name: 'weather',
    description: 'The weather now and the forecast for the next days at a place anywhere.',
    parameters: {
      type: 'object',
      properties: {
        place: {
          type: 'string',
          description: 'town, optionally with country: `Graz, Austria`; the usual one when left out',
        },
        days: {
          type: 'integer',
          minimum: 1,
          maximum: mostDays,
          description: `days told, today first; ${usualDays} when left out`,
        },
      },
    },
    run: weather,
  },
];

function weather({ place, days }: { place?: unknown; days?: unknown }): string {
  const wanted = text(place) || text(configGet('place'));
  if (wanted === '')
    throw new Error(
      'Say which place. The person can set a usual one: px config set plugins.weather.settings.place Graz',
    );
  const count = typeof days === 'number' ? Math.min(Math.max(Math.floor(days), 1), mostDays) : usualDays;
  const spot = find(wanted);
  return told(spot, forecast(spot, count), count, unitsOf(configGet('units')));
}

const text = (value: unknown) => (typeof value === 'string' ? value.trim() : '');

function unitsOf(setting: unknown): Units {
  if (setting === undefined || setting === 'metric') return units.metric;
  if (setting === 'imperial') return units.imperial;
  throw new Error(`plugins.weather.settings.units is ${JSON.stringify(setting)}; it can be metric or imperial`);
}

/** A place as open-meteo's geocoding knows it. */
interface Spot {
  name: string;
  admin1?: string;
  country?: string;
  country_code?: string;
  latitude: number;
  longitude: number;
}

/** The place that is meant: the first of its name that also fits what stands behind the comma. */
function find(wanted: string): Spot {
  const [name = '', ...rest] = wanted.split(',').map((part) => part.trim());
  const { results = [] } = get<{ results?: Spot[] }>('geocoding_url', {
    name,
    count: '10',
    language: 'en',
    format: 'json',
  });
  const fits = (spot: Spot) =>
    rest.every((part) =>
      [spot.country, spot.country_code, spot.admin1].some((one) => one?.toLowerCase().startsWith(part.toLowerCase())),
    );
  const found = results.find(fits) ?? results[0];
  if (!found) throw new Error(`There is no place called ${JSON.stringify(wanted)}. Try the name of the nearest town.`);
  return found;
}

/** What open-meteo's forecast says, as far as it is asked for. */
interface Forecast {
  current: {
    time: string;
    temperature_2m: number;
    apparent_temperature: number;
    relative_humidity_2m: number;
    weather_code: number;
    wind_speed_10m: number;
  };
  daily: {
    time: string[];
    weather_code: number[];
    temperature_2m_max: number[];
    temperature_2m_min: number[];
    precipitation_sum: (number | null)[];
    precipitation_probability_max: (number | null)[];
  };
}

const current = 'temperature_2m,apparent_temperature,relative_humidity_2m,weather_code,wind_speed_10m';
const daily = 'weather_code,temperature_2m_max,temperature_2m_min,precipitation_sum,precipitation_probability_max';

function forecast({ latitude, longitude }: Spot, days: number): Forecast {
  const at = { latitude: `${latitude}`, longitude: `${longitude}`, timezone: 'auto', forecast_days: `${days}` };
  const answer = get<Forecast>('forecast_url', { ...at, current, daily, ...unitsOf(configGet('units')).query });
  if (typeof answer.current?.temperature_2m !== 'number' || !Array.isArray(answer.daily?.time))
    throw new Error('The weather service answered something that is no forecast.');
  return answer;
}

function told(spot: Spot, { current: now, daily: days }: Forecast, count: number, unit: Units): string {
  const where = [...new Set([spot.name, spot.admin1, spot.country].filter((part) => part))].join(', ');
  const feels = now.apparent_temperature;
  const lines = [
    `${where}, ${now.time.replace('T', ' ')} local time`,
    `Now: ${sky(now.weather_code)}, ${degrees(now.temperature_2m, unit)}, feels like ${degrees(feels, unit)}, wind ${Math.round(now.wind_speed_10m)} ${unit.speed}, humidity ${now.relative_humidity_2m}%`,
  ];
  for (const [i, day] of days.time.slice(0, count).entries()) {
    const chance = days.precipitation_probability_max[i];
    const rain = days.precipitation_sum[i];
    const wet = [
      ...(typeof rain === 'number' && rain > 0 ? [`${+rain.toFixed(2)} ${unit.rain}`] : []),
      ...(typeof chance === 'number' ? [`${chance}% chance of rain or snow`] : []),
    ];
    const range = `${degrees(days.temperature_2m_min[i], unit)} to ${degrees(days.temperature_2m_max[i], unit)}`;
    lines.push([`${weekday(day)} ${day}: ${sky(days.weather_code[i] ?? -1)}`, range, ...wet].join(', '));
  }
  return lines.join('\n');
}

const degrees = (value: number | undefined, unit: Units) =>
  typeof value === 'number' ? `${Math.round(value)} ${unit.temperature}` : 'unknown';
const weekday = (day: string) =>
  ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][new Date(`${day}T00:00:00Z`).getUTCDay()];

/** Asks one of the two services. Throws an error that a person understands. */
function get<T>(service: keyof typeof usual, query: Record<string, string>): T {
  const base = text(configGet(service)) || usual[service];
  const url = `${base}?${new URLSearchParams(query)}`;
  let answer: Response;
  try {
    answer = httpRequest({ url, timeoutMs: 20_000 });
  } catch (e) {
    if (!(e instanceof HttpError)) throw e;
    if (e.kind === 'denied')
      throw new Error(
        `The weather plugin may not ask ${new URL(base).host}. The person can allow it: px plugin grant weather --all`,
      );
    throw new Error(`The weather service cannot be reached now (${e.message}). Try again later.`);
  }
  if (answer.status === 429) throw new Error('The weather service has been asked too often. Try again later.');
  if (answer.status >= 500) throw new Error(`The weather service is down (http ${answer.status}). Try again later.`);
  let said: T & { reason?: unknown };
  try {
    said = answer.json<T & { reason?: unknown } & never>();
  } catch {
    throw new Error(`The weather service answered no JSON (http ${answer.status}).`);
  }
  if (answer.status >= 400)
    throw new Error(`The weather service refused the question: ${text(said.reason) || answer.status}`);
  return said;
}
