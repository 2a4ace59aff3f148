"""The look of Gradio's own components: our palette, system fonts, and sizes that grow with the screen."""

import gradio as gr
from gradio.themes.utils import colors, sizes

from explorer.palette import DARK, LIGHT

# Sizes are in rem, and the root size grows with the width of the screen (shell.css): readable from a phone to a wall.
TEXT = sizes.Size(
    name="text", xxs=".6875rem", xs=".75rem", sm=".8125rem", md=".9375rem", lg="1.0625rem", xl="1.375rem", xxl="1.75rem"
)
SPACING = sizes.Size(
    name="spacing", xxs=".125rem", xs=".25rem", sm=".375rem", md=".5rem", lg=".75rem", xl="1rem", xxl="1.5rem"
)
RADIUS = sizes.Size(
    name="radius", xxs=".125rem", xs=".1875rem", sm=".25rem", md=".375rem", lg=".5rem", xl=".75rem", xxl="1rem"
)
GREY = colors.Color(
    name="ink", c50="#faf9f6", c100="#f1efe9", c200="#dedbd3", c300="#c4c2bd", c400="#8a8c91", c500="#6e727b",
    c600="#595e68", c700="#3d4149", c800="#26292f", c900="#1c1e23", c950="#121418",
)  # fmt: skip


class Explorer(gr.themes.Base):
    """Monochrome, so that colour is left to mean a symbol."""

    def __init__(self):
        super().__init__(
            primary_hue=GREY, secondary_hue=GREY, neutral_hue=GREY, text_size=TEXT, spacing_size=SPACING,
            radius_size=RADIUS, font=["system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif"],
            font_mono=["ui-monospace", "Cascadia Code", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace"],
        )  # fmt: skip
        self.name = "explorer"
        self.set(
            **_both(
                body_background_fill="paper", body_text_color="ink", body_text_color_subdued="muted",
                background_fill_primary="panel", background_fill_secondary="sunk",
                border_color_primary="line", border_color_accent="accent", border_color_accent_subdued="line-strong",
                color_accent_soft="sunk",
                link_text_color="focus", link_text_color_active="focus", link_text_color_hover="ink",
                link_text_color_visited="focus", code_background_fill="sunk",
                block_background_fill="panel", block_border_color="line", block_info_text_color="muted",
                block_label_background_fill="panel", block_label_border_color="line", block_label_text_color="muted",
                block_title_background_fill="panel", block_title_border_color="panel", block_title_text_color="ink",
                panel_background_fill="panel", panel_border_color="line",
                accordion_text_color="ink", table_text_color="ink", table_border_color="line",
                table_even_background_fill="panel", table_odd_background_fill="paper", table_row_focus="sunk",
                checkbox_background_color="panel", checkbox_background_color_focus="panel",
                checkbox_background_color_hover="sunk", checkbox_background_color_selected="accent",
                checkbox_border_color="line-strong", checkbox_border_color_focus="focus",
                checkbox_border_color_hover="ink", checkbox_border_color_selected="accent",
                checkbox_label_background_fill="panel", checkbox_label_background_fill_hover="sunk",
                checkbox_label_background_fill_selected="sunk", checkbox_label_border_color="line",
                checkbox_label_border_color_hover="line-strong", checkbox_label_border_color_selected="accent",
                checkbox_label_text_color="ink", checkbox_label_text_color_selected="ink",
                error_background_fill="panel", error_border_color="error", error_text_color="error",
                error_icon_color="error",
                input_background_fill="panel", input_background_fill_focus="panel",
                input_background_fill_hover="panel", input_border_color="line-strong",
                input_border_color_focus="focus", input_border_color_hover="ink", input_placeholder_color="muted",
                loader_color="accent", slider_color="accent", stat_background_fill="sunk",
                button_primary_background_fill="accent", button_primary_background_fill_hover="ink",
                button_primary_border_color="accent", button_primary_border_color_hover="ink",
                button_primary_text_color="on-accent", button_primary_text_color_hover="on-accent",
                button_secondary_background_fill="panel", button_secondary_background_fill_hover="sunk",
                button_secondary_border_color="line-strong", button_secondary_border_color_hover="ink",
                button_secondary_text_color="ink", button_secondary_text_color_hover="ink",
                button_cancel_background_fill="panel", button_cancel_background_fill_hover="sunk",
                button_cancel_border_color="error", button_cancel_border_color_hover="error",
                button_cancel_text_color="error", button_cancel_text_color_hover="error",
            ),
            color_accent=LIGHT["accent"], block_shadow="none", block_shadow_dark="none", block_border_width="1px",
            block_label_shadow="none", block_title_text_weight="600", block_label_text_weight="600",
            block_radius="*radius_lg", block_padding="*spacing_lg *spacing_xl", container_radius="*radius_lg",
            layout_gap="*spacing_xl", input_radius="*radius_md", input_border_width="1px", input_shadow="none",
            input_shadow_focus="0 0 0 .125rem var(--focus)", input_shadow_focus_dark="0 0 0 .125rem var(--focus)",
            checkbox_label_shadow="none", checkbox_label_border_width="1px", checkbox_shadow="none",
            button_border_width="1px", button_large_radius="*radius_md", button_medium_radius="*radius_md",
            button_small_radius="*radius_md", button_large_text_size="*text_md",
            button_medium_text_size="*text_md", button_large_text_weight="600", button_medium_text_weight="600",
            button_small_text_weight="500", button_transition="background-color .12s, border-color .12s",
            button_large_padding="*spacing_lg *spacing_xl", button_medium_padding="*spacing_md *spacing_xl",
            button_small_padding="*spacing_sm *spacing_lg",
        )  # fmt: skip


def _both(**colours: str) -> dict[str, str]:
    """Settings by palette name, each for light and for dark."""
    light = {setting: LIGHT[name] for setting, name in colours.items()}
    return light | {f"{setting}_dark": DARK[name] for setting, name in colours.items()}
