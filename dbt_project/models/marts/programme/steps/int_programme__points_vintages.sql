with
    entries as (select * from {{ ref("int_programme__points_entries") }}),

    uses as (select * from {{ ref("int_programme__points_uses") }}),

    months as (select * from {{ ref("dim_months") }} where not is_after_as_of),

    flows as (
        select
            source,
            programme_key,
            programme_id,
            month as vintage_month,
            month,
            kind,
            balance_points as points
        from entries
        where balance_points > 0
        union all
        select source, programme_key, programme_id, vintage_month, month, kind, - points
        from uses
    ),

    summed as (
        select
            source,
            programme_key,
            programme_id,
            vintage_month,
            month,
            sum(case when kind = 'earn' then points else 0 end) as earned_points,
            - sum(case when kind = 'burn' then points else 0 end) as burned_points,
            - sum(case when kind = 'expire' then points else 0 end) as expired_points,
            sum(case when kind = 'adjust' then points else 0 end) as adjusted_points,
            sum(points) as change_points,
            sum(case when points > 0 then points else 0 end) as added_points
        from flows
        group by source, programme_key, programme_id, vintage_month, month
    ),

    spine as (
        select vintages.*, months.month, months.is_partial
        from
            (
                select distinct source, programme_key, programme_id, vintage_month
                from summed
            ) as vintages
        inner join months on months.month >= vintages.vintage_month
    ),

    final as (
        select
            {{
                made_key(
                    [
                        "spine.source",
                        "spine.programme_key",
                        "spine.vintage_month",
                        "spine.month",
                    ]
                )
            }} as points_vintage_key,
            spine.source,
            spine.programme_key,
            spine.programme_id,
            spine.vintage_month,
            spine.month,
            {{ months_between("spine.vintage_month", "spine.month") }} as age_months,
            spine.is_partial as is_partial_month,
            {% for name in ["earned", "burned", "expired", "adjusted", "added"] %}
                cast(
                    coalesce(summed.{{ name }}_points, 0) as {{ type_amount() }}
                ) as {{ name }}_points,
            {% endfor %}
            cast(
                coalesce(
                    sum(summed.change_points) over (
                        partition by
                            spine.source, spine.programme_key, spine.vintage_month
                        order by spine.month
                        rows between unbounded preceding and current row
                    ),
                    0
                ) as {{ type_amount() }}
            ) as outstanding_points
        from spine
        left join summed using (source, programme_key, vintage_month, month)
    )

select *
from final
