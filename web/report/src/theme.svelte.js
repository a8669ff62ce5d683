// Light or dark: as the system says until somebody chooses.
const system = matchMedia('(prefers-color-scheme: dark)');

class Theme {
  #system = $state(system.matches);
  #chosen = $state(null);

  constructor() {
    system.addEventListener('change', (event) => (this.#system = event.matches));
  }
  get dark() {
    return this.#chosen ?? this.#system;
  }
  toggle() {
    this.#chosen = !this.dark;
    document.documentElement.dataset.theme = this.#chosen ? 'dark' : 'light';
  }
}

export const theme = new Theme();
