with
    vintages as (select * from {{ ref("int_programme__points_vintages") }}),

    summed as (
        select
            *,
            sum(added_points) over so_far as added_so_far_points,
            sum(burned_points) over so_far as burned_so_far_points,
            sum(expired_points) over so_far as expired_so_far_points
        from vintages
        window
            so_far as (
                partition by source, programme_key, vintage_month
                order by month
                rows between unbounded preceding and current row
            )
    ),

    final as (
        select
            points_vintage_key,
            source,
            programme_key,
            programme_id,
            vintage_month,
            age_months,
            month,
            is_partial_month,
            earned_points,
            burned_points,
            expired_points,
            adjusted_points,
            outstanding_points,
            cast(added_so_far_points as {{ type_amount() }}) as added_so_far_points,
            -- vintages are compared by age, in whole months
            {% for name, part in [
                ("burned", "burned_so_far"),
                ("expired", "expired_so_far"),
                ("outstanding", "outstanding"),
            ] %}
                case
                    when not is_partial_month
                    then {{ div(part ~ "_points", "added_so_far_points") }}
                end as {{ name }}_rate,
            {% endfor %}
            -- settled: no points of the vintage are left
            case
                when not is_partial_month
                then outstanding_points = 0 and added_so_far_points > 0
            end as is_settled,
            case
                when outstanding_points = 0 and not is_partial_month
                then {{ div("expired_so_far_points", "added_so_far_points") }}
            end as breakage_rate
        from summed
    )

select *
from final
