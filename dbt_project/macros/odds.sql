{#
  Two groups compared by counts: `a` of the first hit and `b` missed, `c` of the second hit and `d` missed. Where
  a cell is empty .5 is added to each (Haldane 1956, Anscombe 1956), which the caller flags by has_zero_cell.
#}
{% macro has_zero_cell(a, b, c, d) -%}
    least({{ a }}, {{ b }}, {{ c }}, {{ d }}) = 0
{%- endmacro %}

{# A count as a double, with .5 where one of the four is 0. #}
{% macro filled_cell(cell, a, b, c, d) -%}
    (
        cast({{ cell }} as {{ type_double() }})
        + case when {{ has_zero_cell(a, b, c, d) }} then 0.5 else 0 end
    )
{%- endmacro %}

{# Odds ratio a*d / (b*c); NULL when a group is empty. #}
{% macro odds_ratio(a, b, c, d) -%}
    case
        when {{ a }} + {{ b }} > 0 and {{ c }} + {{ d }} > 0
        then
            {{ filled_cell(a, a, b, c, d) }}
            * {{ filled_cell(d, a, b, c, d) }}
            / ({{ filled_cell(b, a, b, c, d) }} * {{ filled_cell(c, a, b, c, d) }})
    end
{%- endmacro %}

{# Standard error of its logarithm (Woolf 1955): sqrt(1/a + 1/b + 1/c + 1/d). #}
{% macro log_odds_error(a, b, c, d) -%}
    sqrt(
        {%- for cell in [a, b, c, d] %}
            1 / {{ filled_cell(cell, a, b, c, d) }} {% if not loop.last %} + {% endif %}
        {%- endfor %}
    )
{%- endmacro %}

{# Risk ratio (a/(a+b)) / (c/(c+d)); NULL when a group is empty. #}
{% macro risk_ratio(a, b, c, d) -%}
    case
        when {{ a }} + {{ b }} > 0 and {{ c }} + {{ d }} > 0
        then
            (
                {{ filled_cell(a, a, b, c, d) }}
                / ({{ filled_cell(a, a, b, c, d) }} + {{ filled_cell(b, a, b, c, d) }})
            ) / (
                {{ filled_cell(c, a, b, c, d) }}
                / ({{ filled_cell(c, a, b, c, d) }} + {{ filled_cell(d, a, b, c, d) }})
            )
    end
{%- endmacro %}

{# Standard error of its logarithm (Katz et al. 1978): sqrt(1/a - 1/(a+b) + 1/c - 1/(c+d)). #}
{% macro log_risk_error(a, b, c, d) -%}
    sqrt(
        greatest(
            0,
            1 / {{ filled_cell(a, a, b, c, d) }}
            - 1 / ({{ filled_cell(a, a, b, c, d) }} + {{ filled_cell(b, a, b, c, d) }})
            + 1 / {{ filled_cell(c, a, b, c, d) }}
            - 1 / ({{ filled_cell(c, a, b, c, d) }} + {{ filled_cell(d, a, b, c, d) }})
        )
    )
{%- endmacro %}

{#
  Pieces of the odds ratio over strata (Mantel & Haenszel 1959) and of its log's variance (Robins, Breslow &
  Greenland 1986), one stratum's at a time: r = a*d/n, s = b*c/n, p = (a+d)/n, q = (b+c)/n. A stratum in which
  is missing adds 0. The caller adds up pr, ps + qr, qs, r and s:
  ratio = R/S, variance = PR/(2 R^2) + (PS + QR)/(2 R S) + QS/(2 S^2).
#}
{% macro stratum_piece(piece, a, b, c, d) -%}
    {%- set n = (
        "nullif(cast("
        ~ a
        ~ " + "
        ~ b
        ~ " + "
        ~ c
        ~ " + "
        ~ d
        ~ " as "
        ~ type_double()
        ~ "), 0)"
    ) -%}
    {%- set r = "(cast(" ~ a ~ " as " ~ type_double() ~ ") * " ~ d ~ " / " ~ n ~ ")" -%}
    {%- set s = "(cast(" ~ b ~ " as " ~ type_double() ~ ") * " ~ c ~ " / " ~ n ~ ")" -%}
    {%- set p = "((" ~ a ~ " + " ~ d ~ ") / " ~ n ~ ")" -%}
    {%- set q = "((" ~ b ~ " + " ~ c ~ ") / " ~ n ~ ")" -%}
    {%- set pieces = {
        "r": r,
        "s": s,
        "pr": p ~ " * " ~ r,
        "qs": q ~ " * " ~ s,
        "psqr": p ~ " * " ~ s ~ " + " ~ q ~ " * " ~ r,
    } -%}
    coalesce({{ pieces[piece] }}, 0)
{%- endmacro %}
