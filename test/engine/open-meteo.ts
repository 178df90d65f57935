/** What open-meteo's geocoding finds for Graz. */
export const graz = {
  name: 'Graz',
  latitude: 47.06667,
  longitude: 15.45,
  country_code: 'AT',
  country: 'Austria',
  admin1: 'Styria',
};
/** The weather now, as its forecast tells it. */
export const current = {
  time: '2026-11-29T14:15',
  interval: 900,
  temperature_2m: 3.6,
  apparent_temperature: -0.4,
  relative_humidity_2m: 71,
  weather_code: 3,
  wind_speed_10m: 14.8,
};
/** Two days of its forecast: the second has a code nobody knows, and no chance of rain. */
export const daily = {
  time: ['2026-11-29', '2026-11-30'],
  weather_code: [61, 999],
  temperature_2m_max: [5.2, 4.4],
  temperature_2m_min: [-1.6, 0.2],
  precipitation_sum: [2.35, 0],
  precipitation_probability_max: [80, null],
};
