{# Bands of days since the first order, oldest customers last; shared by survey weights and wallets. #}
{% macro tenure_band(days) -%}
    case
        when {{ days }} < 90
        then 'under 90 days'
        when {{ days }} < 180
        then '90 to 179 days'
        when {{ days }} < 365
        then '180 to 364 days'
        else '365 days and more'
    end
{%- endmacro %}

{# A score's place on its scale, 0..100, at 8 digits; NULL on a scale that is open or has one point. #}
{% macro scale_index(score, scale_min, scale_max) -%}
    {{
        rounded(
            "100 * " ~ div(score ~ " - " ~ scale_min, scale_max ~ " - " ~ scale_min),
            8,
        )
    }}
{%- endmacro %}

{#
  Which fifth of its scale a score is in, 1..5. A scale has a score for every whole number between its ends: k scores, of which
  this one is number j (0, 1, ...). Its fifth is that of the middle of its place, (j + 1/2) / k; of two scores the lower counts
  for what lies between them. On 1..5 every score is a fifth, on 1..10 every two scores are; 0..10 has 0-1, 2-3, 4-6, 7-8, 9-10
  and 1..7 has 1, 2-3, 4, 5-6, 7. NULL on an open scale.
#}
{% macro fifth_of_scale(score, scale_min, scale_max) -%}
    {%- set place = "floor(" ~ score ~ " - " ~ scale_min ~ ")" -%}
    {%- set scores = "(floor(" ~ scale_max ~ " - " ~ scale_min ~ ") + 1)" -%}
    case
        when {{ scale_max }} > {{ scale_min }}
        then
            cast(floor({{ div("10 * " ~ place ~ " + 5", "2 * " ~ scores) }}) as integer)
            + 1
    end
{%- endmacro %}

{#
  Two-sided p-value of a standard normal z: the complementary error function of |z|/sqrt(2) by
  Abramowitz & Stegun 7.1.26, exact to 1.5e-7, because engines have no normal distribution.
#}
{% macro normal_p_value(z) -%}
    {%- set x = "(abs(" ~ z ~ ") / 1.4142135623730951)" -%}
    {%- set t = "(1.0 / (1.0 + 0.3275911 * " ~ x ~ "))" -%}
    (
        (
            (
                ((1.061405429 * {{ t }} - 1.453152027) * {{ t }} + 1.421413741)
                * {{ t }}
                - 0.284496736
            )
            * {{ t }}
            + 0.254829592
        )
        * {{ t }}
        * exp(- least({{ x }} * {{ x }}, 700))
    )
{%- endmacro %}

{# Whether `value` is in a list that is separated by semicolons; -99.0 from a spreadsheet is -99, and words are compared in any case. #}
{% macro is_listed(value, listed) -%}
    (
        {{
            dbt.position(
                "';' || lower(replace(" ~ value ~ ", ' ', '')) || ';'",
                "';' || lower(replace(coalesce(" ~ listed ~ ", ''), ' ', '')) || ';'",
            )
        }} > 0
    )
{%- endmacro %}

{#
  For each `keys` the scale of most scores of a relation (a name or a subquery in brackets). A 4 of 5 and a 4 of 10 have
  no common mean, also not as places on 0..100. Joined by keys and scale it leaves the other scales out.
#}
{% macro usual_scales(scores, keys, scale_max) -%}
    select {{ keys }}, {{ scale_max }}
    from
        (
            select
                {{ keys }},
                {{ scale_max }},
                row_number() over (
                    partition by {{ keys }} order by count(*) desc, {{ scale_max }}
                ) as place
            from {{ scores }}
            where {{ scale_max }} is not null
            group by {{ keys }}, {{ scale_max }}
        ) as scales
    where place = 1
{%- endmacro %}

{# Whether interviewers asked in the row's survey, where its rows hold all segments. #}
{% macro has_interviewers() -%}
    max(
        case when segment_by = 'interviewer' and segment = 'with' then 1 else 0 end
    ) over (partition by source, survey_id)
    = 1
{%- endmacro %}

{# How figures of answers may be read, by segment, or why they are empty. #}
{% macro answers_reading() -%}
    case
        when is_suppressed
        then 'too few answers'
        when segment_by = 'all' and {{ has_interviewers() }}
        then
            'answers, not customers: mood decides who answers and interviewers hear better scores, which no weight repairs; see segment_by interviewer'
        else 'answers, not customers: mood decides who answers, which no weight repairs'
    end
{%- endmacro %}
