with
    vintages as (select * from {{ ref("int_programme__points_vintages") }}),

    entries as (select * from {{ ref("int_programme__points_entries") }}),

    flows as (
        select
            source,
            programme_key,
            programme_id,
            month,
            is_partial_month,
            sum(earned_points) as earned_points,
            sum(burned_points) as burned_points,
            sum(expired_points) as expired_points,
            sum(adjusted_points) as adjusted_points,
            sum(added_points) as added_points,
            sum(outstanding_points) as balance_points
        from vintages
        group by source, programme_key, programme_id, month, is_partial_month
    ),

    burns as (
        select
            source,
            programme_key,
            month,
            - sum(balance_points) as valued_points,
            sum(value_amount) as value_amount
        from entries
        where kind = 'burn' and value_amount is not null
        group by source, programme_key, month
    ),

    final as (
        select
            flows.*,
            {% for name in ["earned", "burned", "added"] %}
                sum(flows.{{ name }}_points) over so_far as {{ name }}_so_far_points,
            {% endfor %}
            sum(burns.valued_points) over so_far as valued_points,
            sum(burns.value_amount) over so_far as value_amount
        from flows
        left join burns using (source, programme_key, month)
        window
            so_far as (
                partition by flows.source, flows.programme_key
                order by flows.month
                rows between unbounded preceding and current row
            )
    )

select *
from final
