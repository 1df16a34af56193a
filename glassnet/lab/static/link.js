// Settings in the address: #networkShape=4,2&dataset=spiral&noise=10

/** Read a hash such as `#noise=10&seed=3` as {noise: "10", seed: "3"}. */
export function readLink(hash) {
  return Object.fromEntries(new URLSearchParams(hash.replace(/^#/, "")));
}

/** Write settings as a hash. */
export function writeLink(settings) {
  const text = (value) => encodeURIComponent(String(value)).replaceAll("%2C", ",");
  return "#" + Object.entries(settings).map(([name, value]) => `${name}=${text(value)}`).join("&");
}
