{#
  Means of both arms and their difference with its variance, from exact sums `<name>_sum` and
  `<name>_square_sum` of the relation `sums`, for each comparison and measure, and within strata on
  request. An arm of one customer has no variance: such a stratum is left out.
#}
{% macro arm_differences(sums, names, by_stratum) -%}
    {%- set keys = ["comparison_key", "measure"] + (
        ["stratum"] if by_stratum else []
    ) -%}
    select
        {{ keys | join(", ") }},
        treated_count,
        control_count,
        {%- for name in names %}
            {{ name }}_treated_mean,
            {{ name }}_control_mean,
            {{ name }}_treated_mean - {{ name }}_control_mean as {{ name }}_difference,
            {{ name }}_treated_variance
            + {{ name }}_control_variance as {{ name }}_variance
            {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from
        (
            select
                {{ keys | join(", ") }},
                treated_count,
                control_count,
                {%- for name in names %}
                    {%- for arm in ["treated", "control"] %}
                        {{ div(name ~ "_" ~ arm ~ "_sum", arm ~ "_count") }}
                        as {{ name }}_{{ arm }}_mean,
                        {{
                            div(
                                variance_of_sums(
                                    arm ~ "_count",
                                    name ~ "_" ~ arm ~ "_sum",
                                    name ~ "_" ~ arm ~ "_square_sum",
                                ),
                                arm ~ "_count",
                            )
                        }} as {{ name }}_{{ arm }}_variance
                        {%- if not (loop.last and name == names[-1]) %},{% endif %}
                    {%- endfor %}
                {%- endfor %}
            from
                (
                    select
                        {{ keys | join(", ") }},
                        {%- for arm in ["treated", "control"] %}
                            {%- set mine = (
                                "is_treated"
                                if arm == "treated"
                                else "not is_treated"
                            ) %}
                            sum(
                                case when {{ mine }} then customer_count else 0 end
                            ) as {{ arm }}_count,
                            {%- for name in names %}
                                {%- for part in ["sum", "square_sum"] %}
                                    sum(
                                        case
                                            when {{ mine }}
                                            then {{ name }}_{{ part }}
                                            else 0
                                        end
                                    ) as {{ name }}_{{ arm }}_{{ part }}
                                    {%- if not (
                                        loop.last
                                        and name == names[-1]
                                        and arm == "control"
                                    ) %},{% endif %}
                                {%- endfor %}
                            {%- endfor %}
                        {%- endfor %}
                    from {{ sums }}
                    group by {{ keys | join(", ") }}
                ) as both_arms
        ) as varied
    where treated_count > 1 and control_count > 1
{%- endmacro %}

{#
  The published columns of one measure of int_programme__comparisons, joined under `alias`: naive and matched
  difference with intervals, empty where the comparison cannot be made.
#}
{% macro lift_columns(alias, prefix) -%}
    {%- for name, part in [("naive", "plain"), ("matched", "matched")] %}
        {{
            with_interval(
                prefix ~ "_" ~ name,
                alias ~ "." ~ part ~ "_difference",
                alias ~ "." ~ part ~ "_error",
                when=alias ~ ".reason is null",
            )
        }}
        {%- if not loop.last %},{% endif %}
    {%- endfor %}
{%- endmacro %}

{# Over strata, weighted by the treated: the difference of `name`. #}
{% macro weighted_difference(name) -%}
    {{
        div(
            "sum(cast(treated_count * " ~ name ~ "_difference as decimal(28, 8)))",
            "sum(treated_count)",
        )
    }}
{%- endmacro %}

{#
  The variance of that. Doubles do not add up to the same digits in any order, and decimals hold 38 digits: each term
  is added up in two parts, so that amounts in yen or rupiah fit.
#}
{% macro weighted_variance(name) -%}
    {%- set term = "treated_count * treated_count * " ~ name ~ "_variance" -%}
    {%- set large = "floor(" ~ term ~ " / 1e12)" -%}
    {{
        div(
            "(1e12 * cast(sum(cast("
            ~ large
            ~ " as decimal(38, 0))) as "
            ~ type_double()
            ~ ") + cast(sum(cast("
            ~ term
            ~ " - 1e12 * "
            ~ large
            ~ " as decimal(38, 8))) as "
            ~ type_double()
            ~ "))",
            "sum(treated_count) * sum(treated_count)",
        )
    }}
{%- endmacro %}
