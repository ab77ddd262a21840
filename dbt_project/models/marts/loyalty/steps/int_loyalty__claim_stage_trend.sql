{#
  Jonckheere's test (1954): over all pairs of customers from different stages, the share in which the later stage
  has the higher margin rate; ties count half. Variance without ties: (N^2 (2N+3) - sum n^2 (2n+3)) / 72.
#}
with
    customers as (select * from {{ ref("int_loyalty__claim_start_stages") }}),

    ranked as (
        select
            stage_number,
            {% for earlier in [1, 2] %}
                -- how many of an earlier stage lie below, the equal ones by half
                count(case when stage_number = {{ earlier }} then 1 end) over (
                    order by margin_rate
                    range between unbounded preceding and current row
                )
                - 0.5
                * count(case when stage_number = {{ earlier }} then 1 end) over (
                    partition by margin_rate
                ) as below_{{ earlier }}
                {%- if not loop.last %}, {% endif %}
            {% endfor %}
        from customers
    ),

    stages as (select stage_number, count(*) as n from customers group by stage_number),

    sizes as (
        select
            cast(sum(n) as {{ type_double() }}) as total,
            cast(sum(n * n * (2 * n + 3)) as {{ type_double() }}) as cubes,
            {{ div("sum(n) * sum(n) - sum(n * n)", 2) }} as pair_count,
            count(*) as stage_count,
            min(n) as smallest_count
        from stages
    ),

    statistic as (
        select
            cast(
                sum(
                    case when stage_number > 1 then below_1 else 0 end
                    + case when stage_number > 2 then below_2 else 0 end
                ) as {{ type_double() }}
            ) as j
        from ranked
    ),

    final as (
        select
            'margin_rises_with_stage' as claim_id,
            'stage a year ago' as variant,
            cast(sizes.total as bigint) as base_count,
            cast(sizes.smallest_count as bigint) as smallest_count,
            {{ div("statistic.j", "sizes.pair_count") }} as observed_value,
            sqrt(
                {{
                    div(
                        "sizes.total * sizes.total * (2 * sizes.total + 3) - sizes.cubes",
                        72,
                    )
                }}
            )
            / nullif(sizes.pair_count, 0) as standard_error
        from sizes
        cross join statistic
        where sizes.stage_count > 1
    )

select *
from final
