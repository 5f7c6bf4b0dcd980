// Elements from code. Text becomes text nodes only: nothing that an article says can become markup.
import { segments, type ByteRange } from './utf8';

type Child = Node | string | null | undefined | false;
type Properties = Record<string, string | boolean | ((event: Event) => void) | undefined>;

/**
 * Makes an element. Properties that are functions are listeners (`onclick`), booleans are attributes that are there or
 * not, strings are attributes.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') {
      element.addEventListener(name.slice(2), value);
    } else if (value === true) {
      element.setAttribute(name, '');
    } else if (typeof value === 'string') {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.filter((child): child is Node | string => Boolean(child)));
  return element;
}

/** The text with its ranges in `<mark>`. */
export function highlighted(text: string, ranges: readonly ByteRange[] | undefined): Node[] {
  return segments(text, ranges).map((segment) =>
    segment.marked ? h('mark', {}, segment.text) : document.createTextNode(segment.text),
  );
}

export function byId<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}
