// The list below the search box (a combobox as WAI-ARIA describes it: focus stays in the box).
import { suggest, type Suggestion } from './api';
import { h, highlighted } from './dom';

const DELAY_MS = 80;
const KINDS: Record<string, string> = {
  SUGGESTION_KIND_ARTICLE: 'article',
  SUGGESTION_KIND_REGION: 'country',
  SUGGESTION_KIND_GROUP: 'group',
  SUGGESTION_KIND_ISSUE: 'issue',
  SUGGESTION_KIND_AUTHOR: 'author',
  SUGGESTION_KIND_SOURCE: 'source',
  SUGGESTION_KIND_PHRASE: 'phrase',
};

/** Shows suggestions below `input` while one types in it, and calls `choose` with the one that is taken. */
export class SuggestionList {
  private items: Suggestion[] = [];
  private active = -1;
  private timer = 0;
  private request = new AbortController();

  constructor(
    private readonly input: HTMLInputElement,
    private readonly list: HTMLUListElement,
    private readonly count: HTMLElement,
    private readonly choose: (suggestion: Suggestion) => void,
  ) {
    input.addEventListener('input', () => this.ask());
    input.addEventListener('keydown', (event) => this.onKey(event));
    input.addEventListener('blur', () => this.hide());
  }

  hide(): void {
    clearTimeout(this.timer);
    this.request.abort();
    this.items = [];
    this.render();
  }

  private ask(): void {
    clearTimeout(this.timer);
    this.request.abort();
    const query = this.input.value.trim();
    if (query === '') {
      this.hide();
      return;
    }
    this.timer = window.setTimeout(async () => {
      const request = (this.request = new AbortController());
      try {
        const items = await suggest(query.slice(0, 60), request.signal);
        if (request.signal.aborted || document.activeElement !== this.input) return;
        this.items = items;
        this.render();
      } catch {
        // Suggestions are an extra: where there are none, the search itself says what is wrong.
        if (!request.signal.aborted) this.hide();
      }
    }, DELAY_MS);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (this.items.length === 0) {
      // A list that was sent away comes back.
      if (event.key === 'ArrowDown' && this.input.value.trim() !== '') {
        event.preventDefault();
        this.ask();
      }
      return;
    }
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      // One place more than there are items: back in the box.
      const places = this.items.length + 1;
      this.active = ((this.active + 1 + step + places) % places) - 1;
      this.mark();
    } else if (event.key === 'Enter' && this.active >= 0) {
      event.preventDefault();
      this.take(this.items[this.active]!);
    } else if (event.key === 'Escape') {
      event.preventDefault();
      this.hide();
    }
  }

  private take(item: Suggestion): void {
    this.hide();
    this.choose(item);
  }

  private render(): void {
    this.active = -1;
    this.list.replaceChildren(
      ...this.items.map((item, index) =>
        h(
          'li',
          {
            role: 'option',
            id: `suggestion-${index}`,
            // Before the box loses focus, which would take the list away.
            onpointerdown: (event) => event.preventDefault(),
            onclick: () => this.take(item),
          },
          h('span', { class: 'suggestion-text', dir: 'auto' }, ...highlighted(item.text ?? '', item.ranges)),
          KINDS[item.kind ?? ''] ? h('small', {}, KINDS[item.kind ?? '']!) : null,
        ),
      ),
    );
    this.list.hidden = this.items.length === 0;
    this.input.setAttribute('aria-expanded', String(!this.list.hidden));
    const count = this.items.length;
    this.count.textContent = count === 0 ? '' : count === 1 ? '1 suggestion' : `${count} suggestions`;
    this.mark();
  }

  private mark(): void {
    for (const [index, element] of [...this.list.children].entries()) {
      element.setAttribute('aria-selected', String(index === this.active));
      if (index === this.active) element.scrollIntoView({ block: 'nearest' });
    }
    if (this.active >= 0) {
      this.input.setAttribute('aria-activedescendant', `suggestion-${this.active}`);
    } else {
      this.input.removeAttribute('aria-activedescendant');
    }
  }
}
